/** Classes of characters, shared by the text features and the entity tokens. */
export const SPACE = 0;
export const LETTER = 1;
export const SINGLE = 2;
export const SYMBOL = 3;
export const PUNCTUATION = 4;

const SYMBOLS = "+-*/=<>^%$#@&|\\~_\u00d7\u00f7";

// Ranges are spelt out because Unicode tables differ between runtimes; `training/features.py` has the same ones.
function classOf(c: number): number {
  if (c < 0x80) {
    if ((c >= 97 && c <= 122) || (c >= 48 && c <= 57) || (c >= 65 && c <= 90)) return LETTER;
    if (c <= 0x20 || c === 0x7f) return SPACE;
    return SYMBOLS.includes(String.fromCharCode(c)) ? SYMBOL : PUNCTUATION;
  }
  if (c <= 0xa0) return SPACE;
  if (c < 0xc0) return PUNCTUATION;
  if (c === 0xd7 || c === 0xf7) return SYMBOL;
  if (c < 0x2000) return LETTER;
  if (c < 0x2070) {
    return c < 0x2010 || (c >= 0x2028 && c <= 0x202f) || c >= 0x205f ? SPACE : PUNCTUATION;
  }
  if (c < 0x2190) return LETTER;
  if (c < 0x2c00) return SYMBOL;
  if (c < 0x3000) return LETTER;
  if (c === 0x3000 || c === 0xfeff) return SPACE;
  if (c < 0x3040) return PUNCTUATION;
  if (c < 0x3100 || (c >= 0x3400 && c < 0xa000) || (c >= 0xf900 && c < 0xfb00)) return SINGLE;
  if (c >= 0xd800 && c < 0xe000) return SINGLE;
  if ((c >= 0xfe30 && c < 0xfe70) || (c >= 0xff00 && c < 0xff10) || (c >= 0xff1a && c < 0xff21)) {
    return PUNCTUATION;
  }
  return LETTER;
}

const KINDS = Uint8Array.from({ length: 0x10000 }, (_, c) => classOf(c));

/** The class of one UTF-16 unit; every surrogate is SINGLE. */
export function kindOf(unit: number): number {
  return KINDS[unit] as number;
}

/** How many UTF-16 units the SINGLE at `i` has: 2 for a surrogate pair, else 1. */
export function widthAt(text: string, i: number): number {
  const c = text.charCodeAt(i);
  if (c < 0xd800 || c >= 0xdc00 || i + 1 >= text.length) return 1;
  const d = text.charCodeAt(i + 1);
  return d >= 0xdc00 && d < 0xe000 ? 2 : 1;
}
