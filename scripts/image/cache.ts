import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const keptMs = 86_400_000;

/** The folder of that name, filled where it is not there yet. Of two processes that want it one fills and one waits. */
export function keep(cache: string, name: string, fill: (folder: string) => void): string {
  const tree = join(cache, name);
  const lock = lockFile(`${tree}.lock`);
  try {
    if (existsSync(tree)) {
      utimesSync(tree, new Date(), new Date());
      return tree;
    }
    const work = mkdtempSync(join(cache, "unfinished-"));
    try {
      chmodSync(work, 0o755);
      fill(work);
      renameSync(work, tree);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    return tree;
  } finally {
    rmSync(lock, { force: true });
  }
}

function lockFile(path: string): string {
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = Number(readIfThere(path));
    if (owner && !isAlive(owner)) rmSync(path, { force: true });
    // The steps of a build are synchronous, and so is waiting for them.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The folder is there then, without what nobody has asked for in a day. */
export function openCache(cache: string): void {
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache)) {
    const stat = statSync(join(cache, name), { throwIfNoEntry: false });
    if (stat && Date.now() - stat.mtimeMs > keptMs)
      rmSync(join(cache, name), { recursive: true, force: true });
  }
}
