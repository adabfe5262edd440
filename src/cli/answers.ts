import type { Encoding, Entity, Wants } from "../models/encode.ts";
import type { ModelEncoder } from "../models/encoder.ts";
import type { Asked } from "./asked.ts";

/** What is said of a text. Scores are probabilities, 0..1, to six decimals. */
export interface TextAnswer {
  /** The most probable one, however improbable. */
  readonly category: string;
  readonly category_scores: Readonly<Record<string, number>>;
  readonly jailbreak_score: number;
  /** Whether the score reaches the model's recommended threshold. */
  readonly jailbreak: boolean;
  /** Offsets are UTF-16 code units, end exclusive. */
  readonly pii: readonly Entity[];
  readonly timings_ms?: Readonly<Record<string, number>>;
}

/** What is said of a pair of texts. */
export interface PairAnswer {
  /** Cosine of the sentence vectors, -1..1. */
  readonly similarity: number;
  /** What keeps two texts that are alike apart; null where nothing does. */
  readonly veto: string | null;
  /** Whether the cache would answer one with what answered the other, at the model's recommended threshold. */
  readonly match: boolean;
  readonly timings_ms?: Readonly<Record<string, number>>;
}

type Model = Pick<ModelEncoder, "encode" | "labels" | "thresholds">;

const nothing: Wants = { category: false, jailbreak: false, entities: false, embedding: false };
const never = new AbortController().signal;

/** Asks the model. Rejects with its `EncodeError`. */
export function answerOf(asked: Asked, model: Model, timings: boolean): Promise<TextAnswer | PairAnswer> {
  return asked.kind === "text"
    ? ofText(asked.text, model, timings)
    : ofPair(asked.a, asked.b, model, timings);
}

async function ofText(text: string, model: Model, timings: boolean): Promise<TextAnswer> {
  const wants = { ...nothing, category: true, jailbreak: true, entities: true };
  const began = performance.now();
  const encoding = await model.encode({ texts: [text], focus: 0 }, wants, never);
  const { category, jailbreak } = encoding;
  const { passMs, headMs } = encoding.effort;
  return {
    category: model.labels[highest(category)]!,
    category_scores: Object.fromEntries(model.labels.map((label, i) => [label, rounded(category[i]!)])),
    jailbreak_score: rounded(jailbreak),
    jailbreak: jailbreak >= threshold(model, "jailbreak"),
    pii: reported(encoding.entities[0] ?? [], model).map(({ type, start, end, score, by }) => ({
      type,
      start,
      end,
      score: rounded(score),
      by,
    })),
    ...(timings && {
      timings_ms: milliseconds({
        total: performance.now() - began,
        pass: passMs,
        category: headMs.category,
        jailbreak: headMs.jailbreak,
        pii: headMs.entities,
      }),
    }),
  };
}

async function ofPair(a: string, b: string, model: Model, timings: boolean): Promise<PairAnswer> {
  const wants = { ...nothing, embedding: true };
  const began = performance.now();
  const [one, other] = await Promise.all(
    [a, b].map((text) => model.encode({ texts: [text], focus: 0 }, wants, never)),
  );
  const similarity = cosine(one!, other!);
  const veto = null;
  return {
    similarity: rounded(similarity),
    veto,
    match: similarity >= threshold(model, "similarity") && veto === null,
    ...(timings && {
      timings_ms: milliseconds({
        total: performance.now() - began,
        pass: one!.effort.passMs + other!.effort.passMs,
        embedding: one!.effort.headMs.embedding + other!.effort.headMs.embedding,
      }),
    }),
  };
}

/** Spans that count as found: what a recogniser validated, and what the token head is sure enough of. */
export function reported(entities: readonly Entity[], model: Pick<Model, "thresholds">): readonly Entity[] {
  return entities.filter(({ by, score }) => by === "recogniser" || score >= threshold(model, "pii"));
}

/** Of two unit vectors. */
export function cosine(one: Pick<Encoding, "embedding">, other: Pick<Encoding, "embedding">): number {
  return one.embedding.reduce((sum, value, i) => sum + value * other.embedding[i]!, 0);
}

/** Place of the highest value; the first of equals. */
export const highest = (values: Float32Array): number => values.indexOf(Math.max(...values));

export function threshold({ thresholds }: Pick<Model, "thresholds">, head: string): number {
  const value = thresholds[head];
  if (value === undefined) throw new Error(`the model's encoder.json names no threshold for ${head}`);
  return value;
}

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

const milliseconds = (parts: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(parts).map(([part, ms]) => [part, Math.round(ms * 1e3) / 1e3]));
