import assert from "node:assert/strict";
import type { TinyModel } from "./tiny-models.ts";
import { fixtureOf } from "./tokenizers.ts";

// What tiny-models.ts puts into graphs, worked out by hand.

/** Vectors of tokens, as the graph computes them. (n, dims) */
export function forward(model: TinyModel, ids: readonly number[]): number[][] {
  const { dims, embeddings, positions, firstPosition } = model;
  return ids.map((id, i) =>
    Array.from({ length: dims }, (_, d) =>
      Math.tanh(embeddings[id * dims + d]! + positions[(firstPosition + i) * dims + d]!),
    ),
  );
}

/** The linear layer. (width,) */
export const linear = ({ dims, width, weights, bias }: TinyModel, vector: readonly number[]): number[] =>
  Array.from({ length: width }, (_, k) =>
    Array.from({ length: dims }, (_, d) => vector[d]! * weights[d * width + k]!).reduce(
      (sum, value) => sum + value,
      bias[k]!,
    ),
  );

export const meanOf = (vectors: readonly (readonly number[])[]): number[] =>
  vectors[0]!.map((_, d) => vectors.reduce((sum, vector) => sum + vector[d]!, 0) / vectors.length);

/** That two vectors are the same but for rounding. */
export const near = (actual: Iterable<number>, expected: readonly number[]): void => {
  const values = [...actual];
  assert.equal(values.length, expected.length);
  for (const [i, value] of values.entries())
    assert.ok(Math.abs(value - expected[i]!) < 1e-5, `${i}: ${value} is not ${expected[i]}`);
};

export const softmax = (logits: readonly number[]): number[] => {
  const powers = logits.map(Math.exp);
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
};

export const unit = (vector: readonly number[]): number[] =>
  vector.map((value) => value / Math.hypot(...vector));

/** Windows of `size` tokens, a quarter of them shared, with the special tokens around them. */
export function windowsOf(name: string, text: number, size: number) {
  const { frame, expected } = fixtureOf(name);
  const { ids } = expected[text]!;
  const found: { from: number; ids: number[]; content: number }[] = [];
  const overlap = Math.floor(size / 4);
  for (let from = 0; from === 0 || from + overlap < ids.length; from += size - overlap) {
    const content = ids.slice(from, from + size);
    found.push({ from, ids: [...frame[0], ...content, ...frame[1]], content: content.length });
  }
  return found;
}

export function weightedMean(vectors: readonly { vector: number[]; weight: number }[]): number[] {
  const total = vectors.reduce((sum, { weight }) => sum + weight, 0);
  return vectors[0]!.vector.map(
    (_, i) => vectors.reduce((sum, { vector, weight }) => sum + vector[i]! * weight, 0) / total,
  );
}
