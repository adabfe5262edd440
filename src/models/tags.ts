import type { Entity } from "./encode.ts";

/** Where the tokens of a text stand: UTF-16, `ends` exclusive. (tokens,) each, without [CLS] and [SEP]. */
export interface Places {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/**
 * The likeliest path of BIO tags as spans: `I-x` only after `B-x` or `I-x`, and no span begins or ends between two pieces of
 * one word, so that all its pieces together decide. Runs of Chinese, Japanese kana or Thai are no words in this sense.
 *
 * logits: (tokens, tags). tags: "O", then "B-x", "I-x" for every type x. Only spans of `types` are returned, without spaces
 * and punctuation around them. A span's score is the mean probability of its type over its tokens.
 * Throws a RangeError when logits and tokens do not fit.
 */
export function decodeTags(
  text: string,
  tokens: Places,
  logits: Float32Array,
  tags: readonly string[],
  types: ReadonlySet<string>,
): Entity[] {
  const count = tokens.starts.length;
  if (logits.length !== count * tags.length) {
    throw new RangeError(
      `${logits.length} tag logits for ${count} tokens of ${tags.length} tags: the model does not fit`,
    );
  }
  const path = bestPath(text, tokens, logits, tags.length);
  const found: Entity[] = [];
  for (let i = 0; i < count; ) {
    const tag = path[i] as number;
    if (tag === 0) {
      i += 1;
      continue;
    }
    let end = i + 1;
    while (end < count && path[end] === tag + 1) end += 1;
    const type = (tags[tag] as string).slice(2);
    if (types.has(type)) {
      const [start, stop] = trimmed(text, tokens.starts[i] as number, tokens.ends[end - 1] as number);
      let sum = 0;
      for (let t = i; t < end; t++) sum += probability(logits, t * tags.length, tags.length, tag);
      if (start < stop) found.push({ type, start, end: stop, score: sum / (end - i), by: "model" });
    }
    i = end;
  }
  return found;
}

/** Probability of tag `b` ("B-x") or the one after it ("I-x") in the row of logits at `row`. */
function probability(logits: Float32Array, row: number, k: number, b: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < k; j++) top = Math.max(top, logits[row + j] as number);
  let all = 0;
  for (let j = 0; j < k; j++) all += Math.exp((logits[row + j] as number) - top);
  return (
    (Math.exp((logits[row + b] as number) - top) + Math.exp((logits[row + b + 1] as number) - top)) / all
  );
}

// Viterbi. Logits do as well as log-probabilities: within a row they differ by a constant, which every path pays.
function bestPath(text: string, tokens: Places, logits: Float32Array, k: number): Uint8Array {
  const n = tokens.starts.length;
  const path = new Uint8Array(n);
  const back = new Uint8Array(n * k);
  let score = new Float64Array(k).fill(Number.NEGATIVE_INFINITY);
  let next = new Float64Array(k);
  // Before the first token: "O" only, so that no path begins inside a span.
  score[0] = 0;
  let best = 0;
  for (let t = 0; t < n; t++) {
    const row = t * k;
    const inside = t > 0 && sameWord(text, tokens, t);
    let leader = 0;
    for (let j = 0; j < k; j++) {
      // An I-x: its column is even and its B-x is the column before.
      const inner = j > 0 && j % 2 === 0;
      let from = best;
      if (inner) from = (score[j - 1] as number) >= (score[j] as number) ? j - 1 : j;
      else if (inside) from = 0;
      back[row + j] = from;
      // Within a word an "O" stays "O" and no span begins.
      const barred = inside && !inner && j > 0;
      next[j] = barred ? Number.NEGATIVE_INFINITY : (score[from] as number) + (logits[row + j] as number);
      if ((next[j] as number) > (next[leader] as number)) leader = j;
    }
    best = leader;
    [score, next] = [next, score];
  }
  for (let t = n - 1; t >= 0; t--) {
    path[t] = best;
    best = back[t * k + best] as number;
  }
  return path;
}

const LETTER = /[\p{L}\p{N}\p{M}]/u;
// Written without spaces: a name may end anywhere.
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Whether token `t` continues the word of the token before it. */
function sameWord(text: string, tokens: Places, t: number): boolean {
  const at = tokens.starts[t] as number;
  return at === tokens.ends[t - 1] && joins(text, at - 1) && joins(text, at);
}

function joins(text: string, i: number): boolean {
  const c = text.charCodeAt(i);
  if (c < 0x80) return (c >= 97 && c <= 122) || (c >= 48 && c <= 57) || (c >= 65 && c <= 90);
  // Half of a pair: letters beyond the first plane are Chinese, or too rare to matter.
  if (c >= 0xd800 && c < 0xe000) return false;
  const letter = text.charAt(i);
  return LETTER.test(letter) && !UNSPACED.test(letter);
}

const EDGE = /[\s\p{P}\p{S}\p{Z}\p{C}]/u;
/** Signs that begin a name or are a part of it. */
const KEPT = /[#@_$€£¥+]/;
/** "Inc.", "Mrs.", "p.m.", "U.S.", "St." keep their full stop. */
const SHORT = /(?:^|[\s\d])(?:\p{L}{1,5}|(?:\p{L}\.)+\p{L})$/u;

/** The span without spaces and punctuation around it; an empty one when nothing else is in it. */
function trimmed(text: string, start: number, end: number): [number, number] {
  let [from, to] = [start, end];
  if (!LETTER.test(text.slice(from, to))) return [from, from];
  while (from < to && EDGE.test(text.charAt(from)) && !KEPT.test(text.charAt(from)) && !isPair(text, from))
    from += 1;
  for (; to > from; to--) {
    const last = text.charAt(to - 1);
    if (!EDGE.test(last) || last === "_" || last === "%" || isPair(text, to - 1)) break;
    if (last === "." && SHORT.test(text.slice(from, to - 1))) break;
    if ((last === ")" || last === "）") && /[(（]/.test(text.slice(from, to - 1))) break;
  }
  return [from, to];
}

// A lone half of a pair is of the class "other", the pair is a letter.
function isPair(text: string, i: number): boolean {
  const c = text.charCodeAt(i);
  return c >= 0xd800 && c < 0xe000;
}
