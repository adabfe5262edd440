/** The sizes of a ModernBERT sequence classifier. */
export interface Shape {
  readonly vocabulary: number;
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  /** Width of the gated feed-forward layer, one half of what its first product gives. */
  readonly inner: number;
  /** Every so many layers, the first one included, one looks at all tokens. */
  readonly globalEvery: number;
  /** How far the other layers look, in tokens to either side. */
  readonly reach: number;
  /** Bases of the rotary positions of layers that look at all tokens, and of the others. */
  readonly theta: { readonly global: number; readonly local: number };
  readonly labels: number;
  /** The longest input, in tokens. */
  readonly positions: number;
}

/**
 * ModernBERT-base as published, with a head of 14 labels. Only `positions` is less than the 8192 of the original: it is the
 * length of tables that are read from the front, and nothing here is longer.
 */
export const modernBertBase: Shape = {
  vocabulary: 50_368,
  layers: 22,
  hidden: 768,
  heads: 12,
  inner: 1152,
  globalEvery: 3,
  reach: 64,
  theta: { global: 160_000, local: 10_000 },
  labels: 14,
  positions: 512,
};

/** Numbers that would be trained: tables of positions and masks are not among them. */
export function parametersOf({ vocabulary, layers, hidden, inner, labels }: Shape): number {
  const attention = hidden * 3 * hidden + hidden * hidden;
  const feedForward = hidden * 2 * inner + inner * hidden;
  // Two norms a layer, but one in the first; then one behind the table of words, one at the end, one in the head.
  const norms = (2 * layers - 1 + 3) * hidden;
  const head = hidden * hidden + hidden * labels + labels;
  return vocabulary * hidden + layers * (attention + feedForward) + norms + head;
}
