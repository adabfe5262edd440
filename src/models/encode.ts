/** One personal-data span. `start`/`end` are UTF-16 offsets into the text, end exclusive; `score` is 0..1. */
export interface Entity {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly score: number;
  /** `recogniser`: a validating recogniser (check digits, grammar). `model`: the token head. */
  readonly by: "recogniser" | "model";
}

/** What is to be read: the texts of one request, in the order in which a model gets them. */
export interface Reading {
  readonly texts: readonly string[];
  /** Index of the last user turn: category and embedding are of this text, all other heads read every text. */
  readonly focus: number;
}

/** UTF-16 units that are to be read. */
export const sizeOf = ({ texts }: Reading): number => texts.reduce((sum, text) => sum + text.length, 0);

/** What a caller needs; a part that nobody needs is not computed (its field is then empty or 0). */
export interface Wants {
  readonly category: boolean;
  readonly jailbreak: boolean;
  readonly entities: boolean;
  readonly embedding: boolean;
}

/** What a reading took. */
export interface Effort {
  /** Tokens of all windows; one that lies in two windows counts twice. */
  readonly tokens: number;
  readonly windows: number;
  /** Of these, windows that were remembered from an earlier reading. */
  readonly remembered: number;
  /** Milliseconds for what the heads share: tokens and the model. */
  readonly passMs: number;
  /** Milliseconds of each head's own. Texts that were found hidden in others count for both heads that read them. */
  readonly headMs: Readonly<Record<keyof Wants, number>>;
  /** Entities beyond the most that are told, about: one may be counted twice. Their types are told. */
  readonly entitiesLeftOut: number;
}

/** What one reading yields. */
export interface Encoding {
  /** Unit-length sentence vector of the focus. (dims,) */
  readonly embedding: Float32Array;
  /** Probabilities of the focus in the order of `Encoder.labels`; they add up to 1. (labels,) */
  readonly category: Float32Array;
  /** Probability that a text tries to override the model's instructions. 0..1, the highest of all windows. */
  readonly jailbreak: number;
  /** Kind of wrapping, such as `base64`, of the text with the highest probability, where that was hidden in another. */
  readonly jailbreakBy?: string;
  /** One list per text of the reading, offsets into that text. */
  readonly entities: readonly (readonly Entity[])[];
  readonly effort: Effort;
}

/**
 * Reads the texts of one request together, off the event loop.
 * Rejects with `EncodeError` when it cannot answer; with the signal's reason when aborted.
 */
export type Encode = (reading: Reading, wants: Wants, signal: AbortSignal) => Promise<Encoding>;

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
  /** Changes whenever the files of the model that makes the embedding do. */
  readonly fingerprint: string;
  /** Parts that a model of the operator's own yields, by a pass of its own. Default: none. */
  readonly own?: ReadonlySet<keyof Wants>;
  /** Whether a thread is there to answer; where all have died, others are on their way. Default: always. */
  readonly serves?: () => boolean;
  close(): Promise<void>;
}
