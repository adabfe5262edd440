export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Of unsorted values; NaN where there are none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** The least of several rounds: of CPU times the one that the rest of the machine disturbed least. */
export const best = (values: readonly number[]): number => Math.min(...values);

/** What one block of exchanges measured, with tracing on or off. */
export interface Block {
  readonly on: boolean;
  readonly ms: readonly number[];
}

export interface Paired {
  readonly onMean: number;
  readonly offMean: number;
  /** (on - off) / off, and the 95 % interval of it. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

const resamples = 4000;

/**
 * Alternating blocks compared by the mean of their lower 90 %: the upper tenth holds what the machine did meanwhile. The
 * interval resamples neighbouring pairs of blocks, not single exchanges, because neighbours share the machine's mood.
 */
export function comparePaired(blocks: readonly Block[]): Paired {
  const cut = (on: boolean) =>
    percentile(
      blocks.filter((block) => block.on === on).flatMap(({ ms }) => ms),
      0.9,
    );
  const limits = { on: cut(true), off: cut(false) };
  const pairs: { on: Kept; off: Kept }[] = [];
  for (let i = 0; i + 1 < blocks.length; i += 2) {
    const [first, second] = [blocks[i]!, blocks[i + 1]!];
    if (first.on === second.on) throw new Error("the blocks do not alternate");
    const [on, off] = first.on ? [first, second] : [second, first];
    pairs.push({ on: below(on.ms, limits.on), off: below(off.ms, limits.off) });
  }
  const whole = means(pairs);
  const differences = Array.from({ length: resamples }, () => {
    const { on, off } = means(pairs.map(() => pairs[Math.floor(Math.random() * pairs.length)]!));
    return (on - off) / off;
  });
  return {
    onMean: whole.on,
    offMean: whole.off,
    difference: (whole.on - whole.off) / whole.off,
    low: percentile(differences, 0.025),
    high: percentile(differences, 0.975),
  };
}

interface Kept {
  readonly total: number;
  readonly count: number;
}

function below(values: readonly number[], limit: number): Kept {
  const kept = values.filter((value) => value <= limit);
  return { total: sum(kept), count: kept.length };
}

function means(pairs: readonly { on: Kept; off: Kept }[]): { on: number; off: number } {
  const mean = (side: "on" | "off") =>
    sum(pairs.map((pair) => pair[side].total)) / sum(pairs.map((pair) => pair[side].count));
  return { on: mean("on"), off: mean("off") };
}
