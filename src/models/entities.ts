import type { Entity } from "./encode.ts";
import type { Tokens } from "./tokens.ts";

const FLOOR = 1e-9;

/**
 * The best path of BIO labels, `I-x` only after `B-x` or `I-x`, as spans.
 *
 * scores: (tokens, labels) probabilities of the tokens from `offset` on. labels: "O", then "B-x", "I-x" for every type x.
 * A span's score is the mean probability of its type over its tokens.
 */
export function decodeEntities(
  text: string,
  tokens: Tokens,
  offset: number,
  scores: Float32Array,
  labels: readonly string[],
): Entity[] {
  const path = bestPath(scores, labels.length);
  const found: Entity[] = [];
  for (let i = 0; i < path.length; ) {
    const label = path[i] as number;
    if (label === 0) {
      i += 1;
      continue;
    }
    const begin = label % 2 === 1 ? label : label - 1;
    let end = i + 1;
    while (end < path.length && path[end] === begin + 1) end += 1;
    let sum = 0;
    for (let t = i; t < end; t++) {
      const row = t * labels.length;
      sum += (scores[row + begin] as number) + (scores[row + begin + 1] as number);
    }
    const from = tokens.starts[offset + i] as number;
    const to = tokens.ends[offset + end - 1] as number;
    if (/[\p{L}\p{N}]/u.test(text.slice(from, to))) {
      const type = (labels[begin] as string).slice(2);
      found.push({ type, start: from, end: to, score: Math.min(1, sum / (end - i)), by: "model" });
    }
    i = end;
  }
  return found;
}

// Viterbi with products: dividing by the best score of each step keeps them in range, and spares the logarithms.
function bestPath(scores: Float32Array, k: number): Uint8Array {
  const n = scores.length / k;
  const path = new Uint8Array(n);
  const back = new Uint8Array(n * k);
  let score = new Float64Array(k);
  let next = new Float64Array(k);
  // Before the first token: "O" only, so that no path begins inside a span.
  score[0] = 1;
  let best = 0;
  for (let t = 0; t < n; t++) {
    const top = score[best] as number;
    const row = t * k;
    let leader = 0;
    for (let j = 0; j < k; j++) {
      let from = best;
      // An I-x: its column is even and its B-x is the column before.
      if (j > 0 && j % 2 === 0) from = (score[j - 1] as number) >= (score[j] as number) ? j - 1 : j;
      back[row + j] = from;
      next[j] = ((score[from] as number) / top) * ((scores[row + j] as number) + FLOOR);
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

/**
 * One list without overlaps, in text order. A recogniser's span beats a model's, then the higher score wins,
 * then the longer span.
 */
export function mergeEntities(recognised: readonly Entity[], guessed: readonly Entity[]): Entity[] {
  const ranked = [...recognised, ...guessed].sort(
    (a, b) =>
      Number(a.by === "model") - Number(b.by === "model") ||
      b.score - a.score ||
      b.end - b.start - (a.end - a.start),
  );
  const taken: Entity[] = [];
  const byStart = new Occupied();
  for (const entity of ranked) if (byStart.take(entity.start, entity.end)) taken.push(entity);
  return taken.sort((a, b) => a.start - b.start);
}

// Marks the characters of accepted spans; spans are short, so this is linear in what was found.
class Occupied {
  readonly #units = new Set<number>();

  take(start: number, end: number): boolean {
    for (let i = start; i < end; i++) if (this.#units.has(i)) return false;
    for (let i = start; i < end; i++) this.#units.add(i);
    return true;
  }
}
