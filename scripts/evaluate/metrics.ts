/** What was said and whether it was right. `score`: the probability given to it, 0..1. */
export interface Judged {
  readonly score: number;
  readonly right: boolean;
}

export const shareOf = <T>(items: readonly T[], holds: (item: T) => boolean): number =>
  items.filter(holds).length / items.length;

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Half the width of the 95 % interval of a share that was measured on `n`. */
export const uncertainty = (share: number, n: number): number => 1.96 * Math.sqrt((share * (1 - share)) / n);

/** Bins of equal width over 0..1, empty ones too. */
export function binned(judged: readonly Judged[], count = 15): Judged[][] {
  const bins: Judged[][] = Array.from({ length: count }, () => []);
  for (const one of judged) bins[Math.min(Math.floor(one.score * count), count - 1)]!.push(one);
  return bins;
}

/** Expected calibration error: how far score and share of right ones lie apart, over 15 bins, weighted by their size. */
export function calibrationError(judged: readonly Judged[]): number {
  const gaps = binned(judged)
    .filter((bin) => bin.length > 0)
    .map(
      (bin) =>
        bin.length * Math.abs(mean(bin.map(({ score }) => score)) - shareOf(bin, ({ right }) => right)),
    );
  return gaps.reduce((sum, gap) => sum + gap, 0) / judged.length;
}

/** Chance that a positive scores above a negative, ties counted half. NaN where one side is empty. */
export function auc(positive: readonly number[], negative: readonly number[]): number {
  const sorted = Float64Array.from(negative).sort();
  const below = (value: number, equalToo: boolean): number => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const isBelow = equalToo ? sorted[middle]! <= value : sorted[middle]! < value;
      if (isBelow) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const wins = positive.reduce((sum, value) => sum + (below(value, false) + below(value, true)) / 2, 0);
  return wins / (positive.length * negative.length);
}

/** The least score which no more than `share` of the benign scores exceed: what lies above it is flagged. */
export function cutAt(share: number, benign: readonly number[]): number {
  const falling = Float64Array.from(benign).sort().reverse();
  return falling[Math.floor(share * falling.length)] ?? Number.NEGATIVE_INFINITY;
}

/** Spans in common, found and wanted. */
export interface Counts {
  hits: number;
  found: number;
  wanted: number;
}

export const precision = ({ hits, found }: Counts): number => hits / found;
export const recall = ({ hits, wanted }: Counts): number => hits / wanted;
export const f1 = ({ hits, found, wanted }: Counts): number => (2 * hits) / (found + wanted);

/** Items by each of their keys, in the order in which the keys first come. */
export function grouped<T>(items: readonly T[], keysOf: (item: T) => readonly string[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    for (const key of keysOf(item)) {
      const group = groups.get(key);
      if (group) group.push(item);
      else groups.set(key, [item]);
    }
  }
  return groups;
}

/** A source without its part: the openstax books are one source. */
export const family = (source: string): string => source.split("/", 1)[0]!;
