import { perLetter, segmented } from "./english.ts";
import { grouped, joined, type Piece } from "./groups.ts";
import type { Hidden } from "./hidden.ts";
import { readable } from "./readable.ts";

const GAP = /^[^0-9A-Za-z]{1,6}$/;
const HEX = /(?<![0-9A-Za-z])(?:0x)?((?:[0-9a-f]{2})+)h?(?![0-9A-Za-z])/gi;
const HEX_RUN = /[0-9a-f]{16,}/gi;
const MIN_HEX = 16;
/** Shorter runs are numbers and hashes, one in thousands of which would be text. */
const SURE = 32;

/** Bytes as pairs of hexadecimal digits: in one run, also one that another letter or word touches, or in groups. */
export function hex(text: string): Hidden[] {
  const found: Hidden[] = [];
  for (const group of grouped(text, HEX, GAP)) {
    const digits = joined(group);
    // Numbers with spaces between are more likely numbers.
    if (digits.length < MIN_HEX || (group.length > 1 && !/[a-f]/i.test(digits))) continue;
    const said = readable(Buffer.from(digits, "hex"), group.length === 1 && digits.length < SURE);
    if (said !== undefined) found.push(whole("hex", said, group));
  }
  const groups = found.slice();
  for (let [m, g] = [HEX_RUN.exec(text), 0]; m !== null; m = HEX_RUN.exec(text)) {
    const [start, end] = [m.index, m.index + m[0].length];
    while (g < groups.length && (groups[g] as Hidden).end <= start) g += 1;
    const said = end > (groups[g]?.start ?? end) ? undefined : (even(m[0]) ?? even(m[0].slice(1)));
    if (said !== undefined) found.push({ kind: "hex", text: said, start, end });
  }
  return found;
}

const even = (digits: string): string | undefined =>
  readable(Buffer.from(digits.slice(0, digits.length & ~1), "hex"), digits.length < SURE);

const BITS = /(?<![0-9A-Za-z])(?:0b)?([01]{4,})(?![0-9A-Za-z])/g;
const MIN_BITS = 56;

/** Bytes as binary digits, eight or seven of them a letter, in any groups. */
export function binary(text: string): Hidden[] {
  const found: Hidden[] = [];
  for (const group of grouped(text, BITS, GAP)) {
    const bits = joined(group);
    if (bits.length < MIN_BITS) continue;
    const sevens = group.length > 1 && group.every((piece) => piece.text.length === 7);
    const size = sevens || (bits.length % 8 !== 0 && bits.length % 7 === 0) ? 7 : 8;
    const said = readable(
      Uint8Array.from({ length: Math.floor(bits.length / size) }, (_, i) =>
        Number.parseInt(bits.slice(i * size, (i + 1) * size), 2),
      ),
    );
    if (said !== undefined) found.push(whole("binary", said, group));
  }
  return found;
}

const CODES = /(?<![\w.])\d{2,3}(?![\w.]\d|\w)/g;
// Between codes: signs and spaces, or the call that makes a letter of each.
const CODE_GAP = /^(?:[^0-9A-Za-z]{1,6}|\W{1,6}[A-Za-z][\w.]{0,14}\()$/;
const MIN_CODES = 8;

/** Character codes in decimal or octal. Lists of numbers are common and many would be letters, so they must be English. */
export function codes(text: string): Hidden[] {
  const found: Hidden[] = [];
  for (const group of grouped(text, CODES, CODE_GAP)) {
    if (group.length < MIN_CODES) continue;
    for (const base of [10, 8]) {
      const said = lettered(group, text, base);
      if (said === undefined) continue;
      found.push(whole("codes", said, group));
      break;
    }
  }
  return found;
}

function lettered(group: readonly Piece[], text: string, base: number): string | undefined {
  const gaps = group.map((piece, i) => (i === 0 ? "" : text.slice((group[i - 1] as Piece).end, piece.start)));
  // The most frequent gap parts letters; another one parts words.
  const usual = [...Map.groupBy(gaps.slice(1), (gap) => gap)].sort(
    (a, b) => b[1].length - a[1].length,
  )[0]?.[0];
  let said = "";
  const stretches: string[] = [];
  for (const [i, piece] of group.entries()) {
    const code = base === 10 || /^[0-7]+$/.test(piece.text) ? Number.parseInt(piece.text, base) : 0;
    const fits = code === 10 || (code >= 32 && code < 127);
    if (!fits) {
      stretches.push(said);
      said = "";
    } else said += (said !== "" && gaps[i] !== usual ? " " : "") + String.fromCharCode(code);
  }
  const good = [...stretches, said].filter(isSentence);
  return good.length > 0 ? good.join(" ") : undefined;
}

function isSentence(said: string): boolean {
  const words = said.toLowerCase().match(/[a-z]+/g) ?? [];
  const letters = words.join("").length;
  if (letters < MIN_CODES || letters + (said.match(/\s/g)?.length ?? 0) < 0.8 * said.length) return false;
  return words.length > 1 ? perLetter(words) >= -2.5 : perLetter(segmented(words.join(""))) >= -2.2;
}

const whole = (kind: string, text: string, group: readonly Piece[]): Hidden => ({
  kind,
  text,
  start: (group[0] as Piece).start,
  end: (group.at(-1) as Piece).end,
});
