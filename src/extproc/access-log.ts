import type { ServerReadableStream, ServiceDefinition, sendUnaryData } from "@grpc/grpc-js";
import type { Peer } from "../outcome.ts";
import { Reader } from "../protobuf/wire.ts";
import { flagName } from "./cause.ts";
import type { Endings } from "./endings.ts";

/** What Envoy's access log says of one exchange, once it is over. */
export interface LogEntry {
  readonly requestId: string;
  /** Microseconds since the epoch, by Envoy's clock. */
  readonly startUs: number;
  readonly durationMs: number;
  /** From the start to the last byte of the answer, where upstream sent any. */
  readonly upstreamEndMs: number | undefined;
  /** 0: the client got no answer. */
  readonly status: number;
  readonly details: string;
  readonly flags: readonly string[];
  readonly peer: Peer | undefined;
  readonly attempts: number;
}

type Call = ServerReadableStream<readonly LogEntry[], object>;

/**
 * `envoy.service.accesslog.v3.AccessLogService`: Envoy streams its log here, entry by entry, and expects no answer but
 * the end. `close` ends the streams, which otherwise last as long as Envoy.
 */
export function accessLogService(endings: Endings) {
  const calls = new Map<Call, sendUnaryData<object>>();
  const definition: ServiceDefinition = {
    streamAccessLogs: {
      path: "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs",
      requestStream: true,
      responseStream: false,
      requestSerialize: () => Buffer.alloc(0),
      requestDeserialize: readEntries,
      responseSerialize: () => Buffer.alloc(0),
      responseDeserialize: () => ({}),
    },
  };
  return {
    definition,
    implementation: {
      streamAccessLogs(call: Call, answer: sendUnaryData<object>) {
        calls.set(call, answer);
        endings.logOpened();
        const over = () => {
          if (!calls.delete(call)) return;
          endings.logClosed();
          answer(null, {});
        };
        call.on("data", (entries: readonly LogEntry[]) => {
          for (const entry of entries) endings.heard(entry);
        });
        call.on("end", over).on("cancelled", over).on("error", over);
      },
    },
    close() {
      for (const answer of calls.values()) answer(null, {});
      calls.clear();
    },
  };
}

/** Reads a StreamAccessLogsMessage: its finished HTTP exchanges. Throws RangeError on bytes that are no protobuf. */
export function readEntries(bytes: Buffer): LogEntry[] {
  const entries: LogEntry[] = [];
  eachField(new Reader(bytes), 2, (logs) =>
    eachField(logs, 1, (entry) => {
      const read = readEntry(entry);
      if (read) entries.push(read);
    }),
  );
  return entries;
}

type Draft = { -readonly [K in keyof LogEntry]: LogEntry[K] };

function readEntry(entry: Reader): LogEntry | undefined {
  const draft: Draft & { flags: string[]; intermediate: boolean } = {
    requestId: "",
    startUs: 0,
    durationMs: 0,
    upstreamEndMs: undefined,
    status: 0,
    details: "",
    flags: [],
    peer: undefined,
    attempts: 0,
    intermediate: false,
  };
  while (entry.more) {
    const tag = entry.varint();
    if (tag === 10) readCommon(entry.message(), draft);
    else if (tag === 26)
      eachField(entry.message(), 9, (id) => {
        draft.requestId = text(id);
      });
    else if (tag === 34) readResponse(entry.message(), draft);
    else entry.skip(tag & 7);
  }
  const { intermediate, ...read } = draft;
  return intermediate || read.requestId === "" ? undefined : read;
}

/** AccessLogCommon. */
function readCommon(common: Reader, draft: Draft & { flags: string[]; intermediate: boolean }): void {
  let lastDownstreamMs = 0;
  while (common.more) {
    const tag = common.varint();
    if (tag === 42) draft.startUs = readTime(common.message(), 1e6);
    else if (tag === 82) draft.upstreamEndMs = readTime(common.message());
    else if (tag === 98) lastDownstreamMs = readTime(common.message());
    else if (tag === 106) draft.peer = readAddress(common.message());
    else if (tag === 130) {
      const flags = common.message();
      while (flags.more) {
        const flag = flags.varint();
        const name = flagName(flag >>> 3);
        if (name !== undefined) draft.flags.push(name);
        flags.skip(flag & 7);
      }
    } else if (tag === 186) draft.durationMs = readTime(common.message());
    else if (tag === 192) draft.attempts = common.varint();
    else if (tag === 208) draft.intermediate = common.varint() !== 0;
    else common.skip(tag & 7);
  }
  draft.durationMs = Math.max(draft.durationMs, lastDownstreamMs);
}

/** HTTPResponseProperties: the status (a UInt32Value) and its details. */
function readResponse(response: Reader, draft: Draft): void {
  while (response.more) {
    const tag = response.varint();
    if (tag === 10) {
      const value = response.message();
      while (value.more) {
        const inner = value.varint();
        if (inner === 8) draft.status = value.varint();
        else value.skip(inner & 7);
      }
    } else if (tag === 50) draft.details = response.string();
    else response.skip(tag & 7);
  }
}

/** Timestamp or Duration, in parts of a second: milliseconds with fractions, or whole microseconds. */
function readTime(time: Reader, perSecond: 1e3 | 1e6 = 1e3): number {
  let seconds = 0;
  let nanos = 0;
  while (time.more) {
    const tag = time.varint();
    if (tag === 8) seconds = time.varint();
    else if (tag === 16) nanos = time.varint();
    else time.skip(tag & 7);
  }
  return perSecond === 1e3 ? seconds * 1e3 + nanos / 1e6 : seconds * 1e6 + Math.floor(nanos / 1e3);
}

/** core.v3.Address: a socket's, or the path of a pipe. */
function readAddress(address: Reader): Peer | undefined {
  let found: Peer | undefined;
  while (address.more) {
    const tag = address.varint();
    if (tag === 10) found = readSocket(address.message());
    else if (tag === 18)
      eachField(address.message(), 1, (path) => {
        found = { address: text(path) };
      });
    else address.skip(tag & 7);
  }
  return found;
}

function readSocket(socket: Reader): Peer {
  let address = "";
  let port: number | undefined;
  while (socket.more) {
    const tag = socket.varint();
    if (tag === 18) address = socket.string();
    else if (tag === 24) port = socket.varint();
    else socket.skip(tag & 7);
  }
  return { address, port };
}

function eachField(reader: Reader, wanted: number, visit: (inner: Reader) => void): void {
  while (reader.more) {
    const tag = reader.varint();
    if (tag === wanted * 8 + 2) visit(reader.message());
    else reader.skip(tag & 7);
  }
}

const text = (field: Reader): string => field.bytes.toString("utf8", field.position, field.end);
