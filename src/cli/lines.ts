const lineFeed = 10;

/** One line of the input. `number` counts from 1; a line that cannot be read has a `fault` in place of its text. */
export type Line =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly fault: string };

/**
 * Cuts bytes into lines, the last one with or without a line feed. Holds one line at most: of a line longer than
 * `mostBytes` nothing is kept.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, mostBytes: number): AsyncGenerator<Line> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  let pieces: Uint8Array[] = [];
  let bytes = 0;

  const add = (piece: Uint8Array): void => {
    bytes += piece.length;
    if (bytes > mostBytes) pieces = [];
    else if (piece.length > 0) pieces.push(piece);
  };
  const line = (): Line => {
    number += 1;
    const whole = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    const tooLong = bytes > mostBytes;
    pieces = [];
    bytes = 0;
    if (tooLong) return { number, fault: `the line is longer than ${mostBytes} bytes: split it` };
    try {
      return { number, text: decoder.decode(whole) };
    } catch {
      return { number, fault: "the line is not UTF-8: convert the file" };
    }
  };

  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, from)) {
      add(chunk.subarray(from, at));
      yield line();
      from = at + 1;
    }
    add(chunk.subarray(from));
  }
  if (bytes > 0) yield line();
}
