import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { digestOf, stampOf } from "./digest.ts";

// A thread that starts later than the others reads the files anew, and somebody may have replaced them by then: it would
// answer by another model than the one that was checked at the start.

const OTHER = "it is not the file of the start any more";

/** The text of a file. sha256: of its bytes, in hex. Throws when they are others. */
export function textOf(path: string, sha256: string): string {
  const bytes = readFileSync(path);
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) throw new Error(OTHER);
  return bytes.toString("utf8");
}

/**
 * What `load` makes of a file that it reads by itself. Rejects when its bytes are not those of `sha256`, or when it was
 * touched meanwhile: the runtime may then have read others than were looked at here.
 */
export async function loadUnchanged<T>(path: string, sha256: string, load: () => Promise<T>): Promise<T> {
  const before = stampOf(path);
  const loaded = await load();
  if (digestOf(path) !== sha256 || stampOf(path) !== before) throw new Error(OTHER);
  return loaded;
}
