import { kindOf, LETTER, PUNCTUATION, SINGLE, SPACE, widthAt } from "./characters.ts";
import { fnv, mix, PRIME, WORD_SEED } from "./hash.ts";

/** How many buckets there are. As an id: the row of zeros, which fills batches up. */
export const BUCKETS = 1 << 18;
const MASK = BUCKETS - 1;
const MAX_WORD = 40;
const GRAM_SEED = 0x9e3779b1 | 0;
const PAIR_SEED = 0x85ebca6b | 0;
const TRIPLE_SEED = 0xc2b2ae35 | 0;
const OPEN = 60;
const CLOSE = 62;

/** Hashed features of one text: unique bucket numbers, in order of first appearance. */
export interface Features {
  /** Words, word pairs and three-letter pieces: what the sentence vector is made of. */
  readonly embed: Int32Array;
  /** `embed` and after it longer pieces and triples of single characters: what the classifiers see. */
  readonly all: Int32Array;
  /** Stands for the sequence of all words with a digit; `BUCKETS` when there are none. */
  readonly numbers: number;
}

// Combining accents and invisible characters break words apart for the eye of a filter only.
const DROPPED = /[\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the ASCII range is meant
const ASCII = /^[\u0000-\u007f]*$/;

/** Case, accents, width and invisible characters taken away. */
export function normalise(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  return text.normalize("NFKD").toLowerCase().replace(DROPPED, "").replaceAll("ς", "σ");
}

// One growing buffer and one stamp per bucket for the life of the thread: a text allocates only its result.
const stamps = new Int32Array(BUCKETS);
let stamp = 0;
let near = new Int32Array(4096);
let far = new Int32Array(4096);
let nears = 0;
let fars = 0;

function pushNear(hash: number): void {
  const id = hash & MASK;
  if (stamps[id] === stamp) return;
  stamps[id] = stamp;
  if (nears === near.length) near = grown(near);
  near[nears++] = id;
}

function pushFar(hash: number): void {
  if (fars === far.length) far = grown(far);
  far[fars++] = hash & MASK;
}

function grown(old: Int32Array): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(old.length * 2);
  bigger.set(old);
  return bigger;
}

function pieces(text: string, start: number, end: number): void {
  const last = end - start; // index of the closing mark in "<word>"
  const unit = (k: number): number => (k < 0 ? OPEN : k === last ? CLOSE : text.charCodeAt(start + k));
  for (let k = -1; k + 2 <= last; k++) {
    let h = Math.imul(GRAM_SEED ^ unit(k), PRIME);
    h = Math.imul(h ^ unit(k + 1), PRIME);
    h = Math.imul(h ^ unit(k + 2), PRIME);
    pushNear(mix(h));
    for (let j = k + 3; j <= k + 4 && j <= last; j++) {
      h = Math.imul(h ^ unit(j), PRIME);
      pushFar(mix(h));
    }
  }
}

/** Hashes one text. Linear in its length. */
export function features(raw: string): Features {
  const text = normalise(raw);
  stamp += 1;
  nears = 0;
  fars = 0;
  let a = 0;
  let b = 0;
  let singles = 0; // how many single characters end the tokens seen so far
  let tokens = 0;
  let numbers = WORD_SEED;
  let numbered = false;
  for (let i = 0; i < text.length; ) {
    const kind = kindOf(text.charCodeAt(i));
    if (kind === SPACE || kind === PUNCTUATION) {
      i += 1;
      continue;
    }
    let end = kind === SINGLE ? i + widthAt(text, i) : i + 1;
    if (kind === LETTER) while (end < text.length && kindOf(text.charCodeAt(end)) === LETTER) end += 1;
    const cut = Math.min(end, i + MAX_WORD);
    const hash = fnv(text, i, cut);
    pushNear(mix(hash));
    if (kind === LETTER && cut - i >= 3) pieces(text, i, cut);
    if (tokens > 0) pushNear(mix((Math.imul(b, PRIME) ^ hash) + PAIR_SEED));
    if (kind === SINGLE && singles >= 2) {
      pushFar(mix((Math.imul(Math.imul(a, PRIME) ^ b, PRIME) ^ hash) + TRIPLE_SEED));
    }
    if (kind === LETTER && hasDigit(text, i, cut)) {
      numbers = Math.imul(numbers, PRIME) ^ hash;
      numbered = true;
    }
    singles = kind === SINGLE ? singles + 1 : 0;
    a = b;
    b = hash;
    tokens += 1;
    i = end;
  }
  return { embed: near.slice(0, nears), all: withFar(), numbers: numbered ? mix(numbers) & MASK : BUCKETS };
}

function hasDigit(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const c = text.charCodeAt(i);
    if (c >= 48 && c <= 57) return true;
  }
  return false;
}

function withFar(): Int32Array {
  const out = new Int32Array(nears + fars);
  out.set(near.subarray(0, nears));
  let n = nears;
  for (let i = 0; i < fars; i++) {
    const id = far[i] as number;
    if (stamps[id] === stamp) continue;
    stamps[id] = stamp;
    out[n++] = id;
  }
  return out.subarray(0, n);
}
