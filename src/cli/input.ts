import { fstatSync } from "node:fs";
import { whyUnreadable } from "./unreadable.ts";

/** All of standard input. Rejects with a line that says why it cannot be read. */
export async function wholeOf(input: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  try {
    // Read, it would be an empty input.
    if (input === process.stdin && fstatSync(0).isDirectory())
      throw Object.assign(new Error("EISDIR"), { code: "EISDIR" });
    for await (const chunk of input) chunks.push(chunk);
  } catch (error) {
    throw new Error(`cannot read standard input: ${whyUnreadable(error as NodeJS.ErrnoException)}`);
  }
  return Buffer.concat(chunks);
}
