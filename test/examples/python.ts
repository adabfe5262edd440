import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { repoRoot } from "../support/repo.ts";

const CACHE = join(repoRoot, ".cache", "python");
const REQUIREMENTS = join(repoRoot, "examples/opentelemetry/requirements.txt");

/**
 * A folder with the packages of the example's `requirements.txt`, for PYTHONPATH; installed once for each Python and
 * each text of that file. Throws one line that says what is missing on this machine.
 */
export function pythonPackages(): string {
  const python = run("python3", "-c", "import sys, sysconfig; print(sys.version, sysconfig.get_platform())");
  if (python.status !== 0) throw new Error("python3 was not found: install Python 3.10 or newer, with pip");
  const digest = createHash("sha256")
    .update(python.stdout)
    .update(readFileSync(REQUIREMENTS))
    .digest("hex")
    .slice(0, 16);
  const folder = join(CACHE, digest);
  if (existsSync(folder)) return folder;

  process.stderr.write("installing the Python client's packages (first run only)...\n");
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, "install-"));
  try {
    const fresh = join(work, "packages");
    const flags = ["-q", "--only-binary=:all:", "--target", fresh, "-r", REQUIREMENTS];
    const pip = run(withPip(work), "-m", "pip", "install", ...flags);
    if (pip.status !== 0) {
      const said = (pip.stderr || pip.error?.message || "").trim().split("\n").at(-1);
      throw new Error(
        `pip could not install ${REQUIREMENTS} (${said}): check the network and pip's settings`,
      );
    }
    try {
      renameSync(fresh, folder);
    } catch (error) {
      // A rename is atomic, and of two installs at once the first wins.
      if (!existsSync(folder)) throw error;
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return folder;
}

/** python3 itself, or one in a throw-away venv where only `ensurepip` can supply pip. */
function withPip(work: string): string {
  if (run("python3", "-m", "pip", "--version").status === 0) return "python3";
  const venv = join(work, "venv");
  if (run("python3", "-m", "venv", venv).status !== 0) throw new Error("this python3 has no pip: install it");
  return join(venv, "bin", "python");
}

const run = (command: string, ...args: string[]) =>
  spawnSync(command, args, {
    encoding: "utf8",
    env: {
      ...process.env,
      PIP_DISABLE_PIP_VERSION_CHECK: "1",
      PIP_NO_INPUT: "1",
      PIP_ROOT_USER_ACTION: "ignore",
    },
  });
