import type { Encoding } from "../../src/models/encode.ts";
import { everything, fakeReader, readAll } from "./fake-reader.ts";

export const filler = (words: number) => "so ".repeat(words);

/** Reads with a fresh fake reader. */
export async function readWith(
  texts: readonly string[],
  { focus = texts.length - 1, wants = everything } = {},
) {
  const reader = fakeReader();
  const { encoding, left } = await readAll(reader, { texts, focus }, wants);
  return { encoding, left, windows: reader.windows };
}

/** What was found, as text. */
export const namesIn = (texts: readonly string[], { entities }: Encoding) =>
  entities.map((found, i) => found.map(({ start, end }) => texts[i]!.slice(start, end)));
