/** One personal-data span. `start`/`end` are UTF-16 offsets into the text, end exclusive; `score` is 0..1. */
export interface Entity {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly score: number;
  /** `recogniser`: a validating recogniser (check digits, grammar). `model`: the token head. */
  readonly by: "recogniser" | "model";
}

/** What one pass over one text yields. */
export interface Encoding {
  /** Unit-length sentence vector. (dims,) */
  readonly embedding: Float32Array;
  /** Probabilities in the order of `Encoder.labels`; they add up to 1. (labels,) */
  readonly category: Float32Array;
  /** Probability that the text tries to override the model's instructions. 0..1, the highest of all windows. */
  readonly jailbreak: number;
  readonly entities: readonly Entity[];
}

/** What a caller needs; a part that nobody needs is not computed (its field is then empty or 0). */
export interface Wants {
  readonly category: boolean;
  readonly jailbreak: boolean;
  readonly entities: boolean;
  readonly embedding: boolean;
}

/**
 * One tokenisation and one forward pass over each text, off the event loop.
 * Rejects with `EncodeError` when it cannot answer; with the signal's reason when aborted.
 */
export type Encode = (
  texts: readonly string[],
  wants: Wants,
  signal: AbortSignal,
) => Promise<readonly Encoding[]>;

/** Why an encoding could not be had. The reason is safe to show; it never holds text. */
export class EncodeError extends Error {
  readonly reason: "overloaded" | "deadline" | "worker_died" | "closed" | "failed";
  constructor(reason: EncodeError["reason"], message: string) {
    super(message);
    this.name = "EncodeError";
    this.reason = reason;
  }
}

/** A running encoder: the port and what is fixed about it. */
export interface Encoder {
  readonly encode: Encode;
  /** Category labels, in the order of `Encoding.category`. */
  readonly labels: readonly string[];
  /** Length of `Encoding.embedding`. */
  readonly dims: number;
  /** Changes whenever the model files do. */
  readonly fingerprint: string;
  close(): Promise<void>;
}
