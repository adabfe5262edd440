import type { Edit } from "./edits.ts";
import { isCommon, perLetter } from "./english.ts";

const FROM = "ɐqɔpǝɟƃɓɥᴉıɾʞlɯuodbɹsʇnʌʍxʎz∀ꓭƆᗡƎℲ˥WԀᴚ⊥∩ΛM⅄˙";
const TO = "abcdefgghiijklmnopqrstuvwxyzABCDEFLMPRTUVWY.";
const UPRIGHT = new Map([...FROM].map((c, i) => [c, TO.charAt(i)]));
/** Letters that stand upside down for sure. */
const SURE = /[ɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ]/g;
const MIN_SURE = 4;
const MIN_PER_LETTER = -2.7;

const wordsOf = (said: string): string[] => said.toLowerCase().match(/[a-z]+/g) ?? [];
const score = (said: string): number => perLetter(wordsOf(said));

/** Lines whose letters stand on their heads, and so are read from their end. */
export function turned(text: string): Edit[] {
  const edits: Edit[] = [];
  if (!/[ɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ]/.test(text)) return edits;
  for (const m of text.matchAll(/[^\n:]+/g)) {
    if ((m[0].match(SURE)?.length ?? 0) < MIN_SURE) continue;
    const upright = [...m[0]].map((c) => UPRIGHT.get(c) ?? c);
    // Some only turn the letters and leave them in their order.
    const forward = upright.join("");
    const backward = upright.reverse().join("");
    const said = wordsOf(forward).some(isCommon) && score(forward) > score(backward) ? forward : backward;
    if (score(said) < MIN_PER_LETTER || !wordsOf(said).some(isCommon)) continue;
    edits.push({ start: m.index, end: m.index + m[0].length, text: said });
  }
  return edits;
}
