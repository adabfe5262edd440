import { createHash, type Hash } from "node:crypto";
import { closeSync, openSync, readSync, statSync } from "node:fs";

/** sha256 of a file's bytes, in hex. Throws what the file system says. */
export function digestOf(path: string): string {
  const hash = createHash("sha256");
  addFile(hash, path);
  return hash.digest("hex");
}

/** Piece by piece: the whole file at once would stay in the resident set for good. */
export function addFile(hash: Hash, path: string): void {
  const piece = new Uint8Array(1 << 18);
  const file = openSync(path, "r");
  try {
    for (let n = readSync(file, piece); n > 0; n = readSync(file, piece)) hash.update(piece.subarray(0, n));
  } finally {
    closeSync(file);
  }
}

/** Changes whenever a file is written or another takes its place. */
export function stampOf(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}
