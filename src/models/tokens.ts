import { kindOf, LETTER, SINGLE, SPACE, widthAt } from "./characters.ts";
import { mix, PRIME, WORD_SEED } from "./hash.ts";

/** Hashed features of one token. */
export const TOKEN_FEATURES = 24;
const MASK = (1 << 17) - 1;
const MAX_TOKEN = 40;
const EDGE = 0x1b873593;
const COLUMN = 0x9e3779b1 | 0;

/** Where the tokens of a text are: UTF-16 offsets, end exclusive. (tokens,) each */
export interface Tokens {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Runs of letters and digits, and every other visible character by itself. */
export function tokenise(text: string): Tokens {
  const starts: number[] = [];
  const ends: number[] = [];
  for (let i = 0; i < text.length; ) {
    const kind = kindOf(text.charCodeAt(i));
    let end = i + 1;
    if (kind === LETTER) while (end < text.length && kindOf(text.charCodeAt(end)) === LETTER) end += 1;
    else if (kind === SINGLE) end = i + widthAt(text, i);
    if (kind !== SPACE) {
      starts.push(i);
      ends.push(end);
    }
    i = end;
  }
  return { starts: Int32Array.from(starts), ends: Int32Array.from(ends) };
}

const DIGIT = 100;
const LOWER = 120;
const UPPER = 88;
const SINGLE_SHAPE = 99;

function shape(text: string, start: number, end: number, squeeze: boolean): number {
  let h = WORD_SEED;
  let last = -1;
  let before = -1;
  let n = 0;
  for (let i = start; i < end && n < 10; i++) {
    const c = text.charCodeAt(i);
    const kind = kindOf(c);
    let s: number;
    if (c >= 48 && c <= 57) s = DIGIT;
    else if (kind === SINGLE) {
      s = SINGLE_SHAPE;
      i += widthAt(text, i) - 1;
    } else if (kind === LETTER) s = isLower(text, i, c) ? LOWER : UPPER;
    else s = c;
    if (squeeze && s === last && s === before) continue;
    h = Math.imul(h ^ s, PRIME);
    before = last;
    last = s;
    n += 1;
  }
  return h;
}

function isLower(text: string, i: number, c: number): boolean {
  if (c < 0x80) return c < 65 || c > 90;
  const ch = text.charAt(i);
  return ch.toLowerCase() === ch;
}

/**
 * Bucket numbers of every token's features, row by row, for tokens `from`..`to`. (to - from, TOKEN_FEATURES)
 * A row depends on up to three neighbours on each side, also outside the range.
 */
export function tokenIds(text: string, tokens: Tokens, from: number, to: number): Int32Array {
  const n = to - from;
  const total = tokens.starts.length;
  const w = new Int32Array(n + 6).fill(EDGE);
  const s = new Int32Array(n + 6).fill(EDGE);
  const out = new Int32Array(n * TOKEN_FEATURES);
  for (let k = 0; k < n + 6; k++) {
    const t = from + k - 3;
    if (t < 0 || t >= total) continue;
    const start = tokens.starts[t] as number;
    const end = tokens.ends[t] as number;
    const size = lower(text, start, end);
    w[k] = hashed(0, size);
    s[k] = shape(text, start, end, true);
    if (k < 3 || k >= n + 3) continue;
    const at = (k - 3) * TOKEN_FEATURES;
    out[at + 9] = shape(text, start, end, false);
    for (let width = 2; width <= 4; width++) {
      out[at + 8 + width] = hashed(0, Math.min(width, size));
      out[at + 11 + width] = hashed(Math.max(0, size - width), size);
    }
  }
  for (let k = 3; k < n + 3; k++) neighbours(w, s, k, out, (k - 3) * TOKEN_FEATURES);
  for (let j = 0; j < out.length; j++) {
    out[j] = mix((out[j] as number) + Math.imul(j % TOKEN_FEATURES, COLUMN)) & MASK;
  }
  return out;
}

// The token at hand in lower case. No string is made for the ASCII tokens that most texts consist of.
const low = new Uint16Array(MAX_TOKEN);

function lower(text: string, start: number, end: number): number {
  const size = Math.min(end - start, MAX_TOKEN);
  for (let i = 0; i < size; i++) {
    const c = text.charCodeAt(start + i);
    if (c >= 0x80) return lowerString(text.slice(start, end).toLowerCase().replaceAll("ς", "σ"));
    low[i] = c >= 65 && c <= 90 ? c + 32 : c;
  }
  return size;
}

function lowerString(word: string): number {
  const size = Math.min(word.length, MAX_TOKEN);
  for (let i = 0; i < size; i++) low[i] = word.charCodeAt(i);
  return size;
}

function hashed(start: number, end: number): number {
  let h = WORD_SEED;
  for (let i = start; i < end; i++) h = Math.imul(h ^ (low[i] as number), PRIME);
  return h;
}

const two = (a: number, b: number): number => Math.imul(a, PRIME) ^ b;

function neighbours(w: Int32Array, s: Int32Array, k: number, out: Int32Array, at: number): void {
  const W = (d: number): number => w[k + d] as number;
  const S = (d: number): number => s[k + d] as number;
  out[at] = W(0);
  out[at + 1] = W(-1);
  out[at + 2] = W(1);
  out[at + 3] = W(-2);
  out[at + 4] = W(2);
  out[at + 5] = two(W(-1), W(0));
  out[at + 6] = two(W(0), W(1));
  out[at + 7] = S(0);
  out[at + 8] = two(two(S(-1), S(0)), S(1));
  out[at + 16] = two(W(-2), W(-1));
  out[at + 17] = two(W(1), W(2));
  out[at + 18] = two(two(W(-1), W(0)), W(1));
  out[at + 19] = two(W(-1), S(0));
  out[at + 20] = two(W(1), S(0));
  out[at + 21] = two(two(S(-2), S(-1)), S(0));
  out[at + 22] = two(two(W(-3), W(-2)), W(-1));
  out[at + 23] = two(two(S(0), S(1)), S(2));
}
