import { Reader } from "../../protobuf/wire.ts";
import type { Accepted } from "./transport.ts";

/** Bytes of an answer, unpacked; a collector's is a few dozen. */
export const longestAnswer = 1024 * 1024;
const longestText = 300;

/** Text of the collector's for a log line: one line, cut. */
export function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line.length > longestText ? `${line.slice(0, longestText)}...` : line;
}

/** Reads an ExportTraceServiceResponse. Throws RangeError when it is none. */
export function readAnswer(bytes: Buffer): Accepted {
  let rejected = 0;
  let message = "";
  each(new Reader(bytes), (field, wireType, reader) => {
    if (field !== 1 || wireType !== 2) return false;
    each(reader.message(), (inner, type, partial) => {
      if (inner === 1 && type === 0) rejected = count(partial.varint());
      else if (inner === 2 && type === 2) message = oneLine(partial.string());
      else return false;
      return true;
    });
    return true;
  });
  return { accepted: true, rejected, message };
}

/** An int64 below zero arrives as a huge number; no collector rejects fewer than no spans. */
const count = (rejected: number): number => (rejected >= 2 ** 63 ? 0 : rejected);

export interface RpcStatus {
  readonly message: string;
  /** From `google.rpc.RetryInfo`; undefined: it is not there. */
  readonly retryMs: number | undefined;
}

/** Reads a `google.rpc.Status`. Throws RangeError when it is none. */
export function readStatus(bytes: Buffer): RpcStatus {
  let message = "";
  let retryMs: number | undefined;
  each(new Reader(bytes), (field, wireType, reader) => {
    if (wireType !== 2 || (field !== 2 && field !== 3)) return false;
    if (field === 2) message = oneLine(reader.string());
    else retryMs = readDetail(reader.message()) ?? retryMs;
    return true;
  });
  return { message, retryMs };
}

function readDetail(any: Reader): number | undefined {
  let type = "";
  let value: Buffer = Buffer.alloc(0);
  each(any, (field, wireType, reader) => {
    if (wireType !== 2 || (field !== 1 && field !== 2)) return false;
    if (field === 1) type = reader.string();
    else value = reader.bytesField();
    return true;
  });
  return type.endsWith("/google.rpc.RetryInfo") ? readDelay(value) : undefined;
}

/** A RetryInfo without a delay asks for none. */
function readDelay(info: Buffer): number {
  let ms = 0;
  each(new Reader(info), (field, wireType, reader) => {
    if (field !== 1 || wireType !== 2) return false;
    each(reader.message(), (inner, type, duration) => {
      if (type !== 0 || (inner !== 1 && inner !== 2)) return false;
      ms += inner === 1 ? duration.varint() * 1000 : duration.varint() / 1e6;
      return true;
    });
    return true;
  });
  return ms;
}

/** Calls `take` at each field; what it does not take (returns false) is skipped. */
function each(reader: Reader, take: (field: number, wireType: number, reader: Reader) => boolean): void {
  while (reader.more) {
    const tag = reader.varint();
    if (tag < 8) throw new RangeError("protobuf: field number 0");
    if (!take(Math.floor(tag / 8), tag % 8, reader)) reader.skip(tag % 8);
  }
}
