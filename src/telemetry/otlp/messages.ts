import type { OtlpSettings } from "../settings.ts";

/** What the sending thread is started with. */
export interface SenderData {
  readonly settings: OtlpSettings;
  readonly userAgent: string;
}

/** Encoded spans on their way: a whole ExportTraceServiceRequest, its memory handed over. */
export interface Piece {
  readonly id: number;
  readonly spans: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * `shutdownMs`: send what is there at once, without waits that go past so many milliseconds. `release`: give back what
 * the collector has not taken, as `Released`.
 */
export type ToSender = Piece | { readonly shutdownMs: number } | { readonly release: true };

export interface Released {
  readonly released: readonly Piece[];
}

/** What became of the pieces of one request; `failed` counts spans, in the order of `ids`. */
export interface Settled {
  readonly ids: readonly number[];
  readonly failed: readonly number[];
  readonly reason?: Reason;
  readonly message?: string;
}

/** Why spans were lost, as a word to count by. */
export type Reason =
  | "unavailable"
  | "timeout"
  | "rejected"
  | "refused"
  | "invalid_response"
  | "unimplemented"
  | "too_large"
  | "worker_died"
  | "shutdown";
