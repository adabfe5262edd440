import { encodeTraces } from "../otlp-encode.ts";
import type { Trace } from "../trace.ts";
import { type Origin, spansIn } from "../trace-exporter.ts";

const mebibyte = 1024 * 1024;
/** What several exchanges are kept under, so that pieces can share requests. */
const several = mebibyte;
/** What collectors take of one gRPC message unless told otherwise. */
const most = 4 * mebibyte;

export interface Encoded {
  readonly spans: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface TooLarge {
  readonly spans: number;
  /** For a person. */
  readonly message: string;
}

/** Encodes exchanges, as many together as a collector takes. Each result has memory of its own, to be handed over. */
export function encodePieces(traces: readonly Trace[], origin: Origin): (Encoded | TooLarge)[] {
  const bytes = encodeTraces(traces, origin);
  if (traces.length > 1 && bytes.length > several) {
    const half = traces.length >> 1;
    return [...encodePieces(traces.slice(0, half), origin), ...encodePieces(traces.slice(half), origin)];
  }
  const spans = spansIn(traces);
  if (bytes.length <= most) return [{ spans, bytes: ownMemory(bytes) }];
  const size = (bytes.length / mebibyte).toFixed(1);
  const message = `the spans of one exchange are ${size} MiB, of which collectors take 4: lower the limits on attributes`;
  return [{ spans, message }];
}

/** Small buffers share memory with others, which must not be handed over with them. */
function ownMemory(bytes: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes);
}
