/** Components that the numbers of a text add to its sentence vector. */
export const NUMBER_DIMS = 32;

/** Part of the vector's squared length that is the numbers'. Texts that differ in all their numbers are about that much less alike. */
const SHARE = 0.15;
/** What the model's own components are multiplied by. */
export const MEANING_SCALE = Math.sqrt(1 - SHARE);

const NUMBER = /\p{Nd}+(?:[.,:/-]\p{Nd}+)*/gu;
const DIGIT = /\p{Nd}/u;
const LONGEST = 262_144;

/**
 * A unit sentence vector with the numbers of its text beside it, again of unit length: (dims,) -> (dims + 32,).
 * Of a text the first 262,144 UTF-16 units count.
 * A mean over tokens hardly tells 15 miles from 16, and an answer for one must not serve for the other.
 */
export function withNumbers(meaning: Float32Array, text: string): Float32Array<ArrayBuffer> {
  const out = new Float32Array(meaning.length + NUMBER_DIMS);
  for (let i = 0; i < meaning.length; i++) out[i] = meaning[i]! * MEANING_SCALE;
  const numbers = out.subarray(meaning.length);
  for (const number of numbersOf(text.slice(0, LONGEST))) sign(number, numbers);
  const length = Math.hypot(...numbers) || 1;
  const scale = Math.sqrt(SHARE) / length;
  for (let i = 0; i < NUMBER_DIMS; i++) numbers[i]! *= scale;
  return out;
}

/** Each number once, without separators of thousands; a text without numbers has one that no text spells. */
function numbersOf(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  if (DIGIT.test(text)) {
    for (const [number] of text.normalize("NFKC").matchAll(NUMBER))
      found.add(number.replace(/,(?=\d{3}(?!\d))/g, ""));
  }
  return found.size > 0 ? found : new Set(["none"]);
}

/** Adds a pattern of 1 and -1 that stands for `number`: two numbers have patterns that are about at right angles. */
function sign(number: string, into: Float32Array): void {
  let state = 0x811c9dc5;
  for (let i = 0; i < number.length; i++) state = Math.imul(state ^ number.charCodeAt(i), 0x01000193);
  for (let i = 0; i < into.length; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    state = Math.imul(state ^ (state >>> 12), 0x297a2d39) + 0x9e3779b9;
    into[i]! += (state ^ (state >>> 16)) & 1 ? 1 : -1;
  }
}
