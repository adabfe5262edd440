import type { Reason } from "./messages.ts";

/** The collector took the request; `rejected` and `message` are its partial success, 0 and empty when all is well. */
export interface Accepted {
  readonly accepted: true;
  readonly rejected: number;
  readonly message: string;
}

export interface Failure {
  readonly accepted: false;
  readonly reason: Reason;
  /** For a person, without the endpoint. */
  readonly message: string;
  readonly retryable: boolean;
  /** Milliseconds that the collector asked to wait for. */
  readonly waitMs?: number | undefined;
  /** A kept connection turned out to be gone before the collector saw the request: trying again costs nothing. */
  readonly stale?: boolean;
}

export type Answer = Accepted | Failure;

/** One of OTLP's protocols. */
export interface Transport {
  /** One request of several encoded ones, as it goes on the wire; kept for all attempts. */
  pack(pieces: readonly Uint8Array[]): Promise<Buffer>;
  /** One attempt, for at most `timeoutMs`. Never rejects. */
  send(request: Buffer, timeoutMs: number): Promise<Answer>;
}

export const failure = (
  reason: Reason,
  message: string,
  retryable: boolean,
  more: Pick<Failure, "waitMs" | "stale"> = {},
): Failure => ({ accepted: false, reason, message, retryable, ...more });
