import { type Aligned, prepend } from "./aligned.ts";
import type { Cutter } from "./cut.ts";
import { split } from "./split.ts";

// GPT-2's own way of cutting, with Unicode's white space, which is not JavaScript's.
const WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** One printable character for each byte: its own where it has one, else those from U+0100 on, in order. */
export const BYTE_CHARACTERS: readonly string[] = byteCharacters();

function byteCharacters(): string[] {
  let spare = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(printable ? byte : spare++);
  });
}

/** Cuts into words with the space before them, and writes each as its UTF-8 bytes, a character per byte. */
export function byteLevel(addPrefixSpace: boolean, useRegex: boolean): Cutter {
  return (text) => {
    const whole = addPrefixSpace && !text.text.startsWith(" ") ? prepend(text, " ") : text;
    return (useRegex ? split(whole, WORDS, "isolated") : [whole]).map(asBytes);
  };
}

function asBytes({ text, starts, ends }: Aligned): Aligned {
  const bytes = Buffer.from(text, "utf8");
  const byteStarts = new Int32Array(bytes.length);
  const byteEnds = new Int32Array(bytes.length);
  let unit = 0;
  let written = "";
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    // A lead byte begins the next character, and one of four bytes is two units.
    if (i > 0 && (byte & 0xc0) !== 0x80) unit += bytes[i - 1]! < 0x80 ? 1 : unitsBefore(bytes, i);
    byteStarts[i] = starts[unit]!;
    byteEnds[i] = ends[unit]!;
    written += BYTE_CHARACTERS[byte];
  }
  return { text: written, starts: byteStarts, ends: byteEnds };
}

/** UTF-16 units of the character that ends before byte `end`. */
function unitsBefore(bytes: Uint8Array, end: number): number {
  let lead = end - 1;
  while ((bytes[lead]! & 0xc0) === 0x80) lead -= 1;
  return bytes[lead]! >= 0xf0 ? 2 : 1;
}
