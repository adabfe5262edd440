import { Reader } from "../protobuf/wire.ts";
import { Headers, noHeaders } from "./headers.ts";

/** The phases of an exchange, in Envoy's words; each message is of one, and so is its answer. */
export const phases = [
  "requestHeaders",
  "responseHeaders",
  "requestBody",
  "responseBody",
  "requestTrailers",
  "responseTrailers",
] as const;
export type Phase = (typeof phases)[number];

/** Envoy's `BodySendMode`. */
export const bodyMode = {
  none: 0,
  streamed: 1,
  buffered: 2,
  bufferedPartial: 3,
  fullDuplex: 4,
  grpc: 5,
} as const;

/** A ProcessingRequest as plain values. */
export interface Message {
  /** `undefined`: a kind this version does not know. */
  readonly phase: Phase | undefined;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly endOfStream: boolean;
  /** Envoy's attributes, flat: `response.code_details` and so on. */
  readonly attributes: ReadonlyMap<string, string | number>;
  /** On the first message of a stream. */
  readonly requestBodyMode: number | undefined;
  readonly responseBodyMode: number | undefined;
  /** Envoy waits for no answer and heeds none. */
  readonly observeOnly: boolean;
  /** When it arrived, on the monotonic clock. */
  readonly atMs: number;
}

const noBody = Buffer.alloc(0);
const noAttributes: ReadonlyMap<string, string | number> = new Map();
/** Field number of the oneof minus 2 = index into `phases`. */
const firstPhaseField = 2;

/** Reads a ProcessingRequest. Unknown fields are skipped. Throws RangeError on bytes that are no protobuf. */
export function decode(bytes: Buffer, atMs = performance.now()): Message {
  const reader = new Reader(bytes);
  let phase: Phase | undefined;
  let headers = noHeaders;
  let body: Buffer = noBody;
  let endOfStream = false;
  let attributes = noAttributes;
  let requestBodyMode: number | undefined;
  let responseBodyMode: number | undefined;
  let observeOnly = false;
  while (reader.more) {
    const tag = reader.varint();
    const field = tag >>> 3;
    if ((tag & 7) === 2 && field >= firstPhaseField && field < firstPhaseField + phases.length) {
      phase = phases[field - firstPhaseField];
      const part = reader.message();
      while (part.more) {
        const inner = part.varint();
        if (inner === 10 && phase?.endsWith("Body")) body = part.bytesField();
        else if (inner === 10) headers = readHeaderMap(part.message());
        else if (inner === 16 && phase?.endsWith("Body")) endOfStream = part.varint() !== 0;
        else if (inner === 24 && phase?.endsWith("Headers")) endOfStream = part.varint() !== 0;
        else part.skip(inner & 7);
      }
    } else if (tag === 74) {
      attributes = readAttributes(reader.message(), attributes);
    } else if (tag === 80) {
      observeOnly = reader.varint() !== 0;
    } else if (tag === 90) {
      const part = reader.message();
      requestBodyMode = 0;
      responseBodyMode = 0;
      while (part.more) {
        const inner = part.varint();
        if (inner === 8) requestBodyMode = part.varint();
        else if (inner === 16) responseBodyMode = part.varint();
        else part.skip(inner & 7);
      }
    } else reader.skip(tag & 7);
  }
  return {
    phase,
    headers,
    body,
    endOfStream,
    attributes,
    requestBodyMode,
    responseBodyMode,
    observeOnly,
    atMs,
  };
}

/** Notes where names and values are; nothing becomes a string yet, nor an object of its own. */
function readHeaderMap(map: Reader): Headers {
  const places: number[] = [];
  while (map.more) {
    const tag = map.varint();
    if (tag !== 10) {
      map.skip(tag & 7);
      continue;
    }
    const end = map.fieldEnd();
    const i = places.push(0, 0, 0, 0) - 4;
    while (map.position < end) {
      const inner = map.varint();
      if (inner === 10) note(map, places, i);
      // raw_value (26) wins over value (18) when it holds something, whichever comes first.
      else if (inner === 26 || (inner === 18 && places[i + 2] === places[i + 3])) note(map, places, i + 2);
      else map.skip(inner & 7);
    }
    if (map.position !== end) throw new RangeError("protobuf: header longer than its field");
  }
  return new Headers(map.bytes, places);
}

function note(map: Reader, places: number[], i: number): void {
  const start = map.pass();
  if (map.position === start && places[i] !== places[i + 1]) return;
  places[i] = start;
  places[i + 1] = map.position;
}

/** `map<string, Struct>`: the filter's name is left out, the Struct's fields are merged. */
function readAttributes(entry: Reader, before: ReadonlyMap<string, string | number>) {
  const attributes = new Map(before);
  eachField(entry, 2, (struct) =>
    eachField(struct, 1, (field) => {
      let key = "";
      let value: string | number | undefined;
      while (field.more) {
        const tag = field.varint();
        if (tag === 10) key = field.string();
        else if (tag === 18) value = readScalar(field.message());
        else field.skip(tag & 7);
      }
      if (value !== undefined) attributes.set(key, value);
    }),
  );
  return attributes;
}

/** google.protobuf.Value, if it is a number (2) or a string (3). */
function readScalar(value: Reader): string | number | undefined {
  let scalar: string | number | undefined;
  while (value.more) {
    const tag = value.varint();
    if (tag === 17) scalar = value.double();
    else if (tag === 26) scalar = value.string();
    else value.skip(tag & 7);
  }
  return scalar;
}

function eachField(reader: Reader, wanted: number, visit: (inner: Reader) => void): void {
  while (reader.more) {
    const tag = reader.varint();
    if (tag === wanted * 8 + 2) visit(reader.message());
    else reader.skip(tag & 7);
  }
}
