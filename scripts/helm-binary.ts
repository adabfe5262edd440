import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isExecutable, onPath } from "./lib/programs.ts";

/** The Helm that the chart is tested with; every 3.x and 4.x on the PATH is taken as well. */
export const HELM_VERSION = "3.22.0";

const CACHE = join(import.meta.dirname, "..", ".cache", "helm");
const REMEDY = "install Helm 3 or 4 and put it on the PATH, or set HELM_BIN to it";

export type EnsureOptions = {
  readonly env?: NodeJS.ProcessEnv;
  readonly cache?: string;
};

/** Path of a Helm that runs here; builds one with Go if there is none. Errors are one line that names the remedy. */
export function ensureHelm(log: (line: string) => void, options: EnsureOptions = {}): string {
  const env = options.env ?? process.env;
  const given = env.HELM_BIN;
  if (given) {
    const version = versionOf(given);
    if (version === undefined)
      throw new Error(`HELM_BIN names ${given}, which is no Helm 3 or 4: correct it or unset it`);
    return given;
  }
  const found = onPath("helm", env.PATH).find((path) => versionOf(path) !== undefined);
  if (found) return found;
  const cache = options.cache ?? CACHE;
  const binary = join(cache, HELM_VERSION, "helm");
  if (isExecutable(binary)) return binary;

  log(`building Helm ${HELM_VERSION} with Go (first run only, some minutes)...`);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "install-"));
  try {
    const fresh = build(work, env);
    mkdirSync(join(cache, HELM_VERSION), { recursive: true });
    // A rename is atomic: of two builds at once the last one wins and nobody runs half a file.
    renameSync(fresh, binary);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return binary;
}

/** Its version, such as `v3.22`; undefined for what is no Helm of a version that knows this chart's format. */
function versionOf(path: string): string | undefined {
  const { status, stdout } = spawnSync(path, ["version", "--template", "{{.Version}}"], { encoding: "utf8" });
  return status === 0 && /^v[34]\./.test(stdout) ? stdout.trim() : undefined;
}

function build(folder: string, env: NodeJS.ProcessEnv): string {
  const module = `helm.sh/helm/v3/cmd/helm@v${HELM_VERSION}`;
  const { status, stderr, error } = spawnSync("go", ["install", "-trimpath", "-ldflags=-s -w", module], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: { ...env, GOBIN: folder, CGO_ENABLED: "0", GOFLAGS: "-mod=mod" },
  });
  if (error) throw new Error(`Helm is built with Go, and go was not found: install Go, or ${REMEDY}`);
  if (status !== 0) {
    const said = stderr.trim().split("\n").at(-1);
    throw new Error(
      `go could not build Helm ${HELM_VERSION} (${said}): check the network, GOPROXY and Go's version, or ${REMEDY}`,
    );
  }
  return join(folder, "helm");
}
