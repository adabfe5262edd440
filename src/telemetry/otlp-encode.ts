import { Writer } from "../protobuf/wire.ts";
import type { AttributeValue, Span, Trace } from "./trace.ts";
import type { Origin } from "./trace-exporter.ts";

const kinds = { internal: 1, server: 2, client: 3 } as const;
const statusError = 2;
/** OTLP's span flags: whether it is known that the parent is remote, and that it is. */
const hasIsRemote = 0x100;
const isRemote = 0x200;

const writer = new Writer();

/**
 * An ExportTraceServiceRequest, straight from the light records. The test holds it against OpenTelemetry's serialiser;
 * docs/decisions/0008 has what it saves. The writer goes from end to beginning, so fields are written last one first.
 */
export function encodeTraces(traces: readonly Trace[], { resource, scope }: Origin): Buffer {
  writer.begin();
  const start = writer.mark;
  for (let i = traces.length - 1; i >= 0; i -= 1) writeTrace(traces[i]!);
  const scopeStart = writer.mark;
  writer.field(2, scope.version);
  writer.field(1, scope.name);
  writer.wrap(1, scopeStart);
  writer.wrap(2, start);
  const resourceStart = writer.mark;
  for (const [key, value] of Object.entries(resource).reverse()) writeAttribute(1, key, value);
  writer.wrap(1, resourceStart);
  writer.wrap(1, start);
  return writer.finish();
}

function writeTrace(trace: Trace): void {
  for (let i = trace.children.length - 1; i >= 0; i -= 1) {
    writeSpan(trace, trace.children[i]!, trace.root.spanId, hasIsRemote);
  }
  const { parentSpanId } = trace.identity;
  writeSpan(
    trace,
    trace.root,
    parentSpanId,
    parentSpanId === undefined ? hasIsRemote : hasIsRemote | isRemote,
  );
}

function writeSpan(trace: Trace, span: Span, parentSpanId: string | undefined, remoteFlags: number): void {
  const { traceId, flags, state, link } = trace.identity;
  const start = writer.mark;
  writer.fixed32(16, flags | remoteFlags);
  if (span.error !== undefined) {
    const statusStart = writer.mark;
    writer.number(3, statusError);
    writer.field(2, span.error);
    writer.wrap(15, statusStart);
  }
  if (link && span === trace.root) {
    const linkStart = writer.mark;
    writer.fixed32(6, link.flags | hasIsRemote | isRemote);
    writer.hex(2, link.spanId);
    writer.hex(1, link.traceId);
    writer.wrap(13, linkStart);
  }
  writeAttributes(span);
  writeTime(8, span.endMs + trace.epochOffsetMs);
  writeTime(7, span.startMs + trace.epochOffsetMs);
  writer.number(6, kinds[span.kind]);
  writer.field(5, span.name);
  if (parentSpanId !== undefined) writer.hex(4, parentSpanId);
  if (state !== "") writer.field(3, state);
  writer.hex(2, span.spanId);
  writer.hex(1, traceId);
  writer.wrap(2, start);
}

/** Of an attribute set twice the last value counts. */
function writeAttributes({ attributes }: Span): void {
  for (let i = attributes.length - 2; i >= 0; i -= 2) {
    const key = attributes[i] as string;
    if (!setAgain(attributes, key, i + 2)) writeAttribute(9, key, attributes[i + 1] as AttributeValue);
  }
}

function setAgain(attributes: Span["attributes"], key: string, from: number): boolean {
  for (let i = from; i < attributes.length; i += 2) if (attributes[i] === key) return true;
  return false;
}

function writeAttribute(field: number, key: string, value: AttributeValue): void {
  const start = writer.mark;
  writeValue(2, key, value);
  writer.field(1, key);
  writer.wrap(field, start);
}

function writeValue(field: number, key: string, value: AttributeValue): void {
  const start = writer.mark;
  if (typeof value === "string") writer.field(1, value);
  else if (typeof value === "boolean") writer.number(2, value ? 1 : 0);
  else if (typeof value === "number") {
    if (Number.isInteger(value) && !isMeasure(key)) writer.integer(3, value);
    else writer.double(4, value);
  } else {
    for (let i = value.length - 1; i >= 0; i -= 1) writeValue(1, key, value[i]!);
    writer.wrap(5, start);
  }
  writer.wrap(field, start);
}

/** Durations and scores stay doubles when they happen to be whole: a backend takes one type for each key. */
const measure = /(?:_ms|confidence|threshold|similarity|margin|first_chunk)$/;
const measures = new Map<string, boolean>();

function isMeasure(key: string): boolean {
  const known = measures.get(key);
  if (known !== undefined) return known;
  const found = measure.test(key);
  measures.set(key, found);
  return found;
}

/** Nanoseconds since the epoch, exact to the nanosecond that a double of milliseconds holds. */
function writeTime(field: number, epochMs: number): void {
  const seconds = Math.floor(epochMs / 1000);
  const nanos = Math.round((epochMs - seconds * 1000) * 1e6);
  // seconds * 1e9 + nanos, in two halves that are exact each.
  const upper = Math.floor(seconds / 65536) * 1e9;
  const low = (upper % 65536) * 65536 + (seconds % 65536) * 1e9 + nanos;
  writer.fixed64(field, Math.floor(upper / 65536) + Math.floor(low / 2 ** 32), low % 2 ** 32);
}
