import { inOrder } from "../../src/cli/in-order.ts";
import type { Encoding, Wants } from "../../src/models/encode.ts";
import type { ModelEncoder } from "../../src/models/encoder.ts";

/** What every part of the evaluation runs with. */
export interface Run {
  readonly encoder: Pick<ModelEncoder, "encode" | "labels" | "thresholds">;
  /** Texts at the encoder at once. */
  readonly inFlight: number;
  progress(part: string, done: number, of: number): void;
}

const never = new AbortController().signal;

/** What the model says of each text: all in order, each text in a request of its own. */
export async function ask<T>(
  run: Run,
  part: string,
  texts: readonly string[],
  wants: Partial<Wants>,
  keep: (encoding: Encoding, i: number) => T,
): Promise<T[]> {
  const all = { category: false, jailbreak: false, entities: false, embedding: false, ...wants };
  const kept: T[] = [];
  const work = (text: string) => run.encoder.encode({ texts: [text], focus: 0 }, all, never);
  const limits = { items: run.inFlight, weight: Number.POSITIVE_INFINITY, weigh: () => 1 };
  for await (const encoding of inOrder(texts, work, limits)) {
    kept.push(keep(encoding, kept.length));
    run.progress(part, kept.length, texts.length);
  }
  return kept;
}
