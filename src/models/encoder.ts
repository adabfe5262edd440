import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { type About, readModel, type SelfTest } from "./about.ts";
import type { Encoder, Encoding, Wants } from "./encode.ts";
import { MEANING_SCALE, NUMBER_DIMS } from "./numbers.ts";
import type { OwnModelSpec } from "./own/own.ts";
import { HEADS, sharedWants } from "./own/share.ts";
import { type CallLimits, startPool } from "./pool.ts";

/** What a call may cost; another configuration may set other limits for the same models. */
export interface EncoderLimits {
  /** Milliseconds from a call to its refusal with `deadline`, waiting included. Default 4000. */
  readonly deadlineMs?: number | undefined;
  /** Milliseconds to which that grows for long texts. Default 60,000. */
  readonly maxDeadlineMs?: number | undefined;
  /** Calls that may wait for a worker; one more is refused with `overloaded`. Default 512. */
  readonly queueLimit?: number | undefined;
}

export interface EncoderOptions extends EncoderLimits {
  /** Directory with `encoder.onnx`, `encoder.json` and `tokenizer.json`. Default: `models/` of this package. */
  readonly path?: string | undefined;
  /** Models of the operator's own, each in the place of one of its heads. Default: none. */
  readonly own?: readonly OwnModelSpec[] | undefined;
  /** Worker threads, each with a copy of every model. Default: one less than there are cores, 1 to 4. */
  readonly workers?: number | undefined;
  /** Threads that share the work of one window, of each worker. Default 1. */
  readonly threads?: number | undefined;
  /**
   * Told why a thread that was to join or to be replaced serves nothing: its model cannot be loaded, or is not the one of
   * the start any more. Default: a warning of the process.
   */
  readonly warn?: ((message: string) => void) | undefined;
}

/** An `Encoder` of this package, with the thresholds that its model's makers recommend. */
export interface ModelEncoder extends Encoder {
  /** By head: `category`, `jailbreak`, `pii`, `similarity`. 0..1 */
  readonly thresholds: Readonly<Record<string, number>>;
  /** The same models, in the same threads, for calls with other limits. */
  within(limits: EncoderLimits): Encoder;
  /** Ends one thread as a crash would. For tests. */
  kill(): Promise<void>;
}

const EVERYTHING: Wants = { category: true, jailbreak: true, entities: true, embedding: true };
const TOLERANCE = 0.02;
const selfTestLimits = callLimits({ deadlineMs: 10_000 });
// src/models/ and dist/models/ both lie two below the package.
const packaged = (): string => fileURLToPath(new URL("../../models", import.meta.url));

const warning = (message: string): void => process.emitWarning(message);
// One core is left to the event loop and to Envoy.
const defaultWorkers = (): number => Math.min(4, Math.max(1, availableParallelism() - 1));

/**
 * Loads the models and checks the embedded one with its own self-test, but for the heads that others stand for. Ready as
 * soon as the first worker is, the others join it.
 * Rejects with an Error that names the file and the remedy when a file is missing, damaged or of another version.
 */
export async function startEncoder(options: EncoderOptions = {}): Promise<ModelEncoder> {
  const { path = packaged(), own = [], workers = defaultWorkers(), threads = 1 } = options;
  const { warn = warning } = options;
  const files = readModel(path);
  const { about } = files;
  const wants = sharedWants(
    EVERYTHING,
    own.map(({ task }) => task),
  );
  const pool = await startPool({ files, own, threads }, { workers, warn });
  try {
    const signal = new AbortController().signal;
    for (const [i, test] of about.self_test.entries()) {
      const reading = { texts: [test.text], focus: 0 };
      const encoding = await pool.submit(reading, wants, signal, selfTestLimits);
      const wrong = faultOf(about, test, encoding, wants);
      if (wrong)
        throw new Error(
          `${files.onnxPath} failed self-test ${i + 1} (${wrong}): this program and the model do not fit; restore the models directory from the package`,
        );
    }
  } catch (error) {
    await pool.close();
    throw error;
  }
  pool.grow();
  const { labels, dims, fingerprint } = pool.served;
  const within = (limits: EncoderLimits): Encoder => {
    const given = callLimits(limits);
    return {
      encode: (reading, wants, signal) => pool.submit(reading, wants, signal, given),
      labels,
      dims,
      fingerprint,
      own: new Set(own.map(({ task }) => HEADS[task])),
      serves: () => pool.threads > 0,
      close: pool.close,
    };
  };
  return { ...within(options), thresholds: about.thresholds, within, kill: pool.kill };
}

function callLimits({
  deadlineMs = 4000,
  maxDeadlineMs = 60_000,
  queueLimit = 512,
}: EncoderLimits): CallLimits {
  return { patience: { deadlineMs, maxDeadlineMs }, queueLimit };
}

/** What of an encoding is not as it was when the model was exported; only what was wanted is looked at. */
function faultOf(about: About, test: SelfTest, got: Encoding, wants: Wants): string | undefined {
  const found = got.entities[0]!;
  const checks: readonly (readonly [part: keyof Wants, fits: boolean])[] = [
    ["category", near(got.category[about.labels.indexOf(test.category)], test.category_score)],
    ["jailbreak", near(got.jailbreak, test.jailbreak)],
    ["embedding", got.embedding.length === about.dims + NUMBER_DIMS],
    ["embedding", test.embedding_head.every((v, k) => near(got.embedding[k], v * MEANING_SCALE))],
    [
      "entities",
      (test.entities ?? []).every(({ type, start, end }) =>
        found.some((one) => one.type === type && one.start === start && one.end === end),
      ),
    ],
  ];
  return checks.find(([part, fits]) => wants[part] && !fits)?.[0];
}

const near = (got: number | undefined, want: number): boolean =>
  got !== undefined && Math.abs(got - want) <= TOLERANCE;
