import { fileURLToPath } from "node:url";
import { type About, readModel } from "./about.ts";
import type { Encoder, Encoding, Wants } from "./encode.ts";
import { startPool } from "./pool.ts";

export interface EncoderOptions {
  /** Directory with `encoder.onnx` and `encoder.json`. Default: `models/` of this package. */
  readonly path?: string;
  /** Threads, each with a copy of the model. Default 1. */
  readonly workers?: number;
  /** Milliseconds from a call to its refusal with `deadline`, waiting included. Default 2000. */
  readonly deadlineMs?: number;
  /** Calls that may wait for a thread; one more is refused with `overloaded`. Default 512. */
  readonly queueLimit?: number;
}

/** An `Encoder` of this package, with the thresholds that its model's makers recommend. */
export interface ModelEncoder extends Encoder {
  /** By head: `category`, `jailbreak`, `pii`, `similarity`. 0..1 */
  readonly thresholds: Readonly<Record<string, number>>;
  /** Ends one thread as a crash would. For tests. */
  kill(): Promise<void>;
}

const EVERYTHING: Wants = { category: true, jailbreak: true, entities: true, embedding: true };
const TOLERANCE = 0.02;
const SELF_TEST_MS = 10_000;
// src/models/ and dist/models/ both lie two below the package.
const packaged = (): string => fileURLToPath(new URL("../../models", import.meta.url));

/**
 * Loads the model and checks it with its own self-test.
 * Rejects with an Error that names the file and the remedy when a file is missing, damaged or of another version.
 */
export async function startEncoder(options: EncoderOptions = {}): Promise<ModelEncoder> {
  const { path = packaged(), workers = 1, deadlineMs = 2000, queueLimit = 512 } = options;
  const { about, onnxPath } = readModel(path);
  const pool = await startPool({ about, onnxPath }, { workers, deadlineMs, queueLimit });
  try {
    const texts = about.self_test.map((test) => test.text);
    const signal = new AbortController().signal;
    checkSelf(about, await pool.submit(texts, EVERYTHING, signal, SELF_TEST_MS), onnxPath);
  } catch (error) {
    await pool.close();
    throw error;
  }
  return {
    encode: (texts, wants, signal) => pool.submit(texts, wants, signal),
    labels: about.labels,
    dims: about.dims,
    fingerprint: about.sha256.slice(0, 16),
    thresholds: about.thresholds,
    kill: pool.kill,
    close: pool.close,
  };
}

function checkSelf(about: About, encodings: readonly Encoding[], file: string): void {
  for (const [i, test] of about.self_test.entries()) {
    const got = encodings[i];
    const best = about.labels.indexOf(test.category);
    const head = test.embedding_head.every((v, k) => near(got?.embedding[k], v));
    if (
      !head ||
      !near(got?.category[best], test.category_score) ||
      !near(got?.jailbreak, test.jailbreak) ||
      got?.embedding.length !== about.dims
    ) {
      throw new Error(
        `${file} failed self-test ${i + 1}: this program and the model do not fit; restore the models directory from the package`,
      );
    }
  }
}

const near = (got: number | undefined, want: number): boolean =>
  got !== undefined && Math.abs(got - want) <= TOLERANCE;
