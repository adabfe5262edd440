import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isExecutable, onPath } from "../lib/programs.ts";
import { buildCollector, buildJaeger, type Go, goIn, JAEGER_MODULE } from "./build.ts";

/** A real program that the router's spans are sent to in `npm run test:neighbours`. */
export type Part = {
  /** As it is called on the PATH. */
  readonly name: string;
  /** Names an executable to use in place of one that is built. */
  readonly variable: string;
  /** Of what is built. */
  readonly version: string;
  /** Builds it in an empty folder; returns the executable. */
  readonly build: (go: Go, folder: string) => string;
};

export const jaeger: Part = {
  name: "jaeger",
  variable: "JAEGER_BIN",
  version: JAEGER_MODULE.version,
  build: buildJaeger,
};
export const collector: Part = {
  name: "otelcol",
  variable: "OTELCOL_BIN",
  version: "0.155.0",
  build: buildCollector,
};

const CACHE = join(import.meta.dirname, "..", "..", ".cache", "neighbours");

/**
 * Path of an executable: the variable's, else one on the PATH, else one built with Go, once, into the cache (Jaeger
 * takes 5 to 12 minutes on two cores). Errors are one line that names the remedy.
 */
export function ensurePart(
  part: Part,
  log: (line: string) => void,
  { env = process.env, cache = CACHE }: { env?: NodeJS.ProcessEnv; cache?: string } = {},
): string {
  const given = env[part.variable];
  if (given && !isExecutable(given)) {
    throw new Error(
      `${part.variable} names ${given}, which is not an executable file: correct it or unset it`,
    );
  }
  const found = given || onPath(part.name, env.PATH)[0];
  if (found) return found;
  const binary = join(cache, `${part.name}-${part.version}`, part.name);
  if (isExecutable(binary)) return binary;

  log(`building ${part.name} ${part.version} with Go (first run only, some minutes)...`);
  mkdirSync(join(cache, `${part.name}-${part.version}`), { recursive: true });
  const work = mkdtempSync(join(cache, "build-"));
  try {
    const remedy = `or put ${part.name} on the PATH, or set ${part.variable} to it`;
    // A rename is atomic: of two builds at once the last one wins and nobody sees half a file.
    renameSync(part.build(goIn(work, env, part.name, remedy), work), binary);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return binary;
}
