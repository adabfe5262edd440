import type { Entity } from "../encode.ts";
import { softmax } from "../gist.ts";
import type { Tags } from "./meanings.ts";
import type { Tokens } from "./tokenizer/tokenizer.ts";

/** What the model says of each token: the type (-1: none), its probability, and whether a span begins there. (n,) each */
export interface Verdicts {
  readonly types: Int16Array;
  readonly scores: Float32Array;
  readonly begins: Uint8Array;
}

export const verdicts = (count: number): Verdicts => ({
  types: new Int16Array(count).fill(-1),
  scores: new Float32Array(count),
  begins: new Uint8Array(count),
});

/** Notes at `at` what `logits`, one for each tag, say: tags of one type count together. */
export function judge(into: Verdicts, at: number, logits: Float32Array, { types, tags }: Tags): void {
  const probabilities = softmax(logits, 1);
  const byType = new Float64Array(types.length);
  const beginning = new Float64Array(types.length);
  let outside = 0;
  for (const [i, { type, begins }] of tags.entries()) {
    const probability = probabilities[i]!;
    if (type === -1) outside += probability;
    else {
      byType[type]! += probability;
      if (begins) beginning[type]! += probability;
    }
  }
  const best = byType.reduce((leader, value, i) => (value > byType[leader]! ? i : leader), 0);
  if (byType[best]! <= outside) return;
  into.types[at] = best;
  into.scores[at] = byType[best]!;
  into.begins[at] = beginning[best]! > byType[best]! / 2 ? 1 : 0;
}

// Scripts that put spaces between words; in the others no word is to be completed.
const LETTER =
  /(?![\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}])[\p{L}\p{M}\p{N}]/u;

/**
 * Spans of tokens of one type, side by side or with white space between them. Words are never cut: many models are
 * trained to tag only the first token of a word. A span's score is the mean of its tokens'.
 */
export function spansOf(
  text: string,
  { starts, ends }: Tokens,
  found: Verdicts,
  types: readonly string[],
): Entity[] {
  const spans: { type: number; start: number; end: number; sum: number; count: number }[] = [];
  for (let i = 0; i < starts.length; i++) {
    const [type, start, end] = [found.types[i]!, starts[i]!, ends[i]!];
    if (type === -1 || start === end) continue;
    const last = spans.at(-1);
    const between = last && last.type === type ? text.slice(last.end, start) : undefined;
    const joins = between !== undefined && (between === "" || (!found.begins[i] && between.trim() === ""));
    if (joins) {
      last!.end = Math.max(last!.end, end);
      last!.sum += found.scores[i]!;
      last!.count += 1;
    } else spans.push({ type, start, end, sum: found.scores[i]!, count: 1 });
  }
  const entities: Entity[] = [];
  for (const { type, start: from, end: to, sum, count } of spans) {
    const [start, end] = wholeWords(text, from, to);
    const last = entities.at(-1);
    const entity: Entity = { type: types[type]!, start, end, score: sum / count, by: "model" };
    // Two spans in one word are now the same place: the surer one stays.
    if (last && last.end > start) {
      if (entity.score > last.score) entities[entities.length - 1] = { ...entity, start: last.start };
      else entities[entities.length - 1] = { ...last, end: Math.max(last.end, end) };
    } else entities.push(entity);
  }
  return entities;
}

function wholeWords(text: string, start: number, end: number): [number, number] {
  const joined = (i: number): boolean => LETTER.test(text.charAt(i - 1)) && LETTER.test(text.charAt(i));
  let [from, to] = [start, end];
  while (from > 0 && joined(from)) from -= 1;
  while (to < text.length && joined(to)) to += 1;
  return [from, to];
}
