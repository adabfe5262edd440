import type { Writable } from "node:stream";

const heard = new WeakSet<Writable>();

/** Writes at the pace of the reader. Resolves to false once the reader has gone; rejects on any other failure. */
export function writerTo(stream: Writable): (text: string) => Promise<boolean> {
  // Told to each write as well, which is where it is dealt with; unheard, it would end the process.
  if (!heard.has(stream)) stream.on("error", () => {});
  heard.add(stream);
  return (text) =>
    new Promise((resolve, reject) => {
      stream.write(text, (error: NodeJS.ErrnoException | null | undefined) => {
        if (error && error.code !== "EPIPE") reject(error);
        else resolve(!error);
      });
    });
}

/** Writes one answer; where its reader has gone, nothing. */
export async function print(stream: Writable, text: string): Promise<void> {
  await writerTo(stream)(text.endsWith("\n") ? text : `${text}\n`);
}

/** Writes one answer for programs: JSON, indented by two spaces. */
export const printJson = (stream: Writable, value: unknown): Promise<void> =>
  print(stream, JSON.stringify(value, null, 2));
