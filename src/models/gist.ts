import type { Outputs } from "./model.ts";

/** Windows of a text that its category and its sentence vector are made of, at most. */
const MOST = 16;

interface Seen {
  readonly index: number;
  readonly category: Float32Array;
  readonly embedding: Float32Array;
  readonly weight: number;
}

/**
 * Category and sentence vector of a text of any number of windows: means over windows, weighted by their tokens. Of more
 * than 16 windows only every second, fourth ... counts, so that a text of any length costs little.
 */
export class Gist {
  #step = 1;
  #seen: Seen[] = [];

  /** Whether window `index` would count, as far as is known of the text's length. */
  wants(index: number): boolean {
    return index % this.#step === 0;
  }

  /** @param weight tokens of the window without its marks. */
  add(index: number, { category, embedding }: Outputs, weight: number): void {
    // An empty text has one window, without weight of its own.
    this.#seen.push({ index, category, embedding, weight: Math.max(1, weight) });
    if (this.#seen.length <= MOST) return;
    this.#step *= 2;
    this.#seen = this.#seen.filter((one) => this.wants(one.index));
  }

  /** Probabilities. Throws NotFinite. */
  category(temperature: number): Float32Array {
    return softmax(this.#mean("category"), temperature);
  }

  /** Of unit length. Throws NotFinite. */
  embedding(): Float32Array<ArrayBuffer> {
    const mean = this.#mean("embedding");
    const length = finite(Math.hypot(...mean), "sentence vector") || 1;
    return mean.map((x) => x / length);
  }

  #mean(part: "category" | "embedding"): Float32Array<ArrayBuffer> {
    const mean = new Float32Array(this.#seen[0]?.[part].length ?? 0);
    const total = this.#seen.reduce((sum, { weight }) => sum + weight, 0);
    for (const one of this.#seen) {
      for (let i = 0; i < mean.length; i++) mean[i]! += (one[part][i]! * one.weight) / total;
    }
    return mean;
  }
}

/**
 * A model answered with something that is no number. Every comparison with that is false: a guard that went on with it
 * would let everything through.
 */
export class NotFinite extends Error {
  constructor(what: string) {
    super(`the model's ${what} is no finite number`);
    this.name = "NotFinite";
  }
}

/** `value`, or a NotFinite that says `what` of the model's is wrong. */
export function finite(value: number, what: string): number {
  if (!Number.isFinite(value)) throw new NotFinite(what);
  return value;
}

/** Probabilities of logits, which are divided by `temperature` first. Throws NotFinite; a logit may be -Infinity. */
export function softmax(logits: Float32Array, temperature: number): Float32Array<ArrayBuffer> {
  const top = Math.max(...logits);
  const odds = Float32Array.from(logits, (x) => Math.exp((x - top) / temperature));
  const sum = finite(
    odds.reduce((a, b) => a + b, 0),
    "verdict",
  );
  return odds.map((x) => x / sum);
}
