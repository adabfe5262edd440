import { isCommon, perLetter, segmented } from "./english.ts";
import type { Hidden } from "./hidden.ts";

const RUN = /(?<![A-Za-z0-9_])[A-Za-z]{24,}(?![A-Za-z0-9_])/g;
const MIN_PER_LETTER = -2.1;
const MIN_WORDS = 5;
/** Names of program parts are run together too, but not so long ones. */
const NAME = /^[A-Za-z]?[a-z]*(?:[A-Z][a-z]+)+$/;
const LONG_NAME = 40;

/** Sentences without spaces: words, most of them frequent ones, that nothing parts. */
export function unspaced(text: string): Hidden[] {
  const found: Hidden[] = [];
  for (const m of text.matchAll(RUN)) {
    if (m[0].length < LONG_NAME && /[a-z][A-Z]/.test(m[0]) && NAME.test(m[0])) continue;
    const words = segmented(m[0].toLowerCase());
    const common = words.filter(isCommon).length;
    if (words.length < MIN_WORDS || common < 3 || common * 5 < words.length * 2) continue;
    if (perLetter(words) < MIN_PER_LETTER) continue;
    found.push({ kind: "unspaced", text: words.join(" "), start: m.index, end: m.index + m[0].length });
  }
  return found;
}
