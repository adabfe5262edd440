import { readStatus } from "./answer.ts";
import { type Failure, failure } from "./transport.ts";

const names = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];
const deadlineExceeded = 4;
const resourceExhausted = 8;
const unimplemented = 12;
/** OTLP's list: CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS. */
const retryable = new Set([1, deadlineExceeded, 10, 11, 14, 15]);

/** What gRPC makes of an HTTP status without a gRPC one. */
const ofHttp: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: unimplemented,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};

/** What gRPC makes of a stream's reset: REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM, INADEQUATE_SECURITY. */
const ofReset: Readonly<Record<number, number>> = { 7: 14, 8: 1, 11: resourceExhausted, 12: 7 };

/**
 * A final gRPC status that is not OK.
 * @param details `grpc-status-details-bin`, base64: only it can make RESOURCE_EXHAUSTED retryable.
 */
export function grpcFailure(code: number, message: string, details = ""): Failure {
  const waitMs = details === "" ? undefined : retryInfo(details);
  const again = retryable.has(code) || (code === resourceExhausted && waitMs !== undefined);
  const words = message === "" ? grpcName(code) : `${grpcName(code)}: ${message}`;
  if (code === deadlineExceeded) return failure("timeout", words, true, { waitMs });
  if (code === unimplemented) return failure("unimplemented", `${words}; is this an OTLP collector?`, false);
  return failure(again ? "unavailable" : "refused", words, again, { waitMs });
}

export const grpcName = (code: number): string => `${code} ${names[code] ?? "(no such code)"}`;

export const fromHttpStatus = (status: number): Failure =>
  grpcFailure(ofHttp[status] ?? 2, `HTTP ${status} without a gRPC status`);

export const fromReset = (code: number): Failure =>
  grpcFailure(ofReset[code] ?? 13, `the collector reset the stream (HTTP/2 error ${code})`);

/** Details that cannot be read are no reason to lose the status itself. */
function retryInfo(details: string): number | undefined {
  try {
    return readStatus(Buffer.from(details, "base64")).retryMs;
  } catch {
    return undefined;
  }
}
