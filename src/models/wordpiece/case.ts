/** Letter case of a word, which lower-casing loses and the model gets as its second input. */
export const NO_CASE = 0;
export const TITLE = 1;
export const UPPER = 2;
export const MIXED = 3;

const LETTER = /^\p{L}$/u;

/** NO_CASE for small letters and for what has none, TITLE for a first capital, UPPER for two capitals or more, MIXED. */
export function caseOf(word: string): number {
  const small = word.toLowerCase();
  if (word === small) return NO_CASE;
  if (word === word.toUpperCase()) return twoLetters(word) ? UPPER : TITLE;
  const first = String.fromCodePoint(word.codePointAt(0) ?? 0);
  const rest = word.slice(first.length);
  return first !== first.toLowerCase() && rest === rest.toLowerCase() ? TITLE : MIXED;
}

function twoLetters(word: string): boolean {
  let letters = 0;
  for (const c of word) {
    if (LETTER.test(c)) letters += 1;
    if (letters === 2) return true;
  }
  return false;
}
