import type { Writer } from "../protobuf/wire.ts";
import type { AttributeValue, Span } from "./trace.ts";

// Most attributes are the same few pairs in every exchange. They are encoded once and copied from then on: a span has
// ten of them, and encoding them anew was most of what tracing cost.

/** Field of `KeyValue` in a Span. */
const inSpan = 9;
/** Values kept of one key; a key with more of them, such as an id, is encoded anew each time. */
const mostValues = 64;
/** Characters of a value that is kept. */
const longestKept = 64;
/** Keys that are remembered at all. The router has fewer; only custom ones add to them. */
const mostKeys = 1024;

interface Known {
  /** The key as `KeyValue.key`. */
  readonly key: Uint8Array;
  readonly measure: boolean;
  /** Value to the whole attribute; undefined once there were too many. */
  pairs: Map<string | boolean, Uint8Array> | undefined;
}

const known = new Map<string, Known>();

/** Of an attribute set twice the last value counts. */
export function writeAttributes(writer: Writer, { attributes }: Span): void {
  for (let i = attributes.length - 2; i >= 0; i -= 2) {
    const key = attributes[i] as string;
    if (!setAgain(attributes, key, i + 2)) writeInSpan(writer, key, attributes[i + 1] as AttributeValue);
  }
}

function setAgain(attributes: Span["attributes"], key: string, from: number): boolean {
  for (let i = from; i < attributes.length; i += 2) if (attributes[i] === key) return true;
  return false;
}

function writeInSpan(writer: Writer, name: string, value: AttributeValue): void {
  const key = known.get(name) ?? learn(writer, name);
  if (!key) {
    writeAttribute(writer, inSpan, name, value);
    return;
  }
  const { pairs } = key;
  const keep =
    pairs && (typeof value === "boolean" || (typeof value === "string" && value.length <= longestKept));
  const pair = keep ? pairs.get(value) : undefined;
  if (pair) {
    writer.raw(pair);
    return;
  }
  const start = writer.mark;
  writeValue(writer, 2, key.measure, value);
  writer.raw(key.key);
  writer.wrap(inSpan, start);
  if (!keep) return;
  if (pairs.size < mostValues) pairs.set(value, writer.since(start));
  else key.pairs = undefined;
}

function learn(writer: Writer, name: string): Known | undefined {
  if (known.size >= mostKeys) return undefined;
  const start = writer.mark;
  writer.field(1, name);
  const key = { key: writer.since(start), measure: measure.test(name), pairs: new Map() };
  writer.rewind(start);
  known.set(name, key);
  return key;
}

/** A `KeyValue` as that field. */
export function writeAttribute(writer: Writer, field: number, key: string, value: AttributeValue): void {
  const start = writer.mark;
  writeValue(writer, 2, measure.test(key), value);
  writer.field(1, key);
  writer.wrap(field, start);
}

function writeValue(writer: Writer, field: number, isMeasure: boolean, value: AttributeValue): void {
  const start = writer.mark;
  if (typeof value === "string") writer.field(1, value);
  else if (typeof value === "boolean") writer.number(2, value ? 1 : 0);
  else if (typeof value === "number") {
    if (Number.isInteger(value) && !isMeasure) writer.integer(3, value);
    else writer.double(4, value);
  } else {
    for (let i = value.length - 1; i >= 0; i -= 1) writeValue(writer, 1, false, value[i]!);
    writer.wrap(5, start);
  }
  writer.wrap(field, start);
}

/** Durations and scores stay doubles when they happen to be whole: a backend takes one type for each key. */
const measure = /(?:_ms|confidence|threshold|similarity|margin|first_chunk|temperature|top_p|penalty)$/;
