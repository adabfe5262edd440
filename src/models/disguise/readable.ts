import { perLetter } from "./english.ts";

const MIN_LETTERS = 8;
/** Characters that a stretch amid bytes of other kinds must have. */
const STRETCH = 12;
const MIN_PER_LETTER = -2.5;
const UTF8 = new TextDecoder("utf-8");
const BAD = /[^\p{L}\p{N}\p{M}\p{P}\p{S}\p{Zs}\p{Cf}\t\r\n]|\ufffd/gu;

/**
 * The text that `bytes` are or hold, as UTF-8 or as UTF-16 of Latin letters: all of it where nearly all is text, what is left
 * without the bytes that are none where that is language, else the stretches that are language by themselves.
 * @param strict asks for language in any case.
 */
export function readable(bytes: Uint8Array, strict = false): string | undefined {
  if (bytes.length < MIN_LETTERS || isNoise(bytes)) return undefined;
  // Every other byte of Latin letters in UTF-16 is 0, and no text needs one.
  const whole = UTF8.decode(bytes.includes(0) ? bytes.filter((c) => c !== 0) : bytes);
  const stretches = whole.split(BAD);
  const good = stretches.join("");
  if (!strict && good.length >= 0.97 * whole.length && isText(good, 0.45)) return good;
  if (good.length >= STRETCH && good.length >= 0.85 * whole.length && isText(good, 0.6)) {
    if (!strict || isLanguage(good)) return good;
  }
  // Letters of any script are left over of any bytes, English words are not.
  if (good.length >= 0.5 * whole.length && isEnglish(good)) return good;
  const said = stretches.filter((one) => one.length >= STRETCH && isLanguage(one));
  return said.length > 0 ? said.join(" ") : undefined;
}

/** Most runs are no text; this tells without decoding them: few bytes are of characters, and no stretch of them is long. */
function isNoise(bytes: Uint8Array): boolean {
  let [good, run, longest] = [0, 0, 0];
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i] as number;
    if (c === 0) continue;
    let size = (c >= 32 && c < 127) || (c > 8 && c < 14) ? 1 : 0;
    if (c >= 0xc2 && c < 0xf5) {
      size = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
      for (let k = 1; k < size; k++) if (((bytes[i + k] ?? 0) & 0xc0) !== 0x80) size = 0;
    }
    run = size === 0 ? 0 : run + size;
    good += size;
    if (run > longest) longest = run;
    i += Math.max(0, size - 1);
  }
  // Zeros part the letters of UTF-16.
  return longest < STRETCH && good < 0.4 * bytes.length;
}

/** @param share of letters, digits and spaces among all characters. */
function isText(said: string, share: number): boolean {
  const letters = said.match(/[\p{L}\p{N}\p{M}]/gu)?.length ?? 0;
  const spaces = said.match(/\s/g)?.length ?? 0;
  // Chinese says in three characters what takes eight letters.
  const weight = letters + 2 * (said.match(/\p{Script=Han}/gu)?.length ?? 0);
  return (
    weight >= MIN_LETTERS && letters + spaces >= share * said.length && new Set(said.slice(0, 64)).size >= 4
  );
}

/** Whether it is made of English words, or of enough letters of one that is not Latin, which do not come by chance. */
export function isLanguage(said: string): boolean {
  const latin = said.match(/[a-z]/gi)?.length ?? 0;
  const spaces = said.match(/\s/g)?.length ?? 0;
  const other = said.match(/(?![a-z])\p{L}/giu)?.length ?? 0;
  const han = said.match(/\p{Script=Han}/gu)?.length ?? 0;
  if (other + 2 * han >= 12 && latin + other + spaces >= 0.6 * said.length) return true;
  return isEnglish(said);
}

function isEnglish(said: string): boolean {
  const words = said.toLowerCase().match(/[a-z]+/g) ?? [];
  const latin = words.reduce((n, word) => n + word.length, 0);
  const spaces = said.match(/\s/g)?.length ?? 0;
  return latin >= 10 && latin + spaces >= 0.75 * said.length && perLetter(words) >= MIN_PER_LETTER;
}
