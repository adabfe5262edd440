import { Writer } from "../protobuf/wire.ts";
import { writeAttribute, writeAttributes } from "./otlp-attributes.ts";
import type { Span, Trace } from "./trace.ts";
import type { Origin } from "./trace-exporter.ts";
import { recordedState } from "./w3c.ts";

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
  for (const [key, value] of Object.entries(resource).reverse()) writeAttribute(writer, 1, key, value);
  writer.wrap(1, resourceStart);
  writer.wrap(1, start);
  return writer.finish();
}

function writeTrace(trace: Trace): void {
  const { traceId, parentSpanId, state } = trace.identity;
  // What all spans of a trace have in common is encoded once; the order of fields is free.
  const mark = writer.mark;
  const recorded = recordedState(state);
  if (recorded !== "") writer.field(3, recorded);
  writer.hex(1, traceId);
  const shared = writer.since(mark);
  writer.rewind(mark);
  for (let i = trace.children.length - 1; i >= 0; i -= 1) {
    const start = writer.mark;
    writeBody(trace, trace.children[i]!, hasIsRemote);
    writer.words(4, trace.root.idHigh, trace.root.idLow);
    writer.raw(shared);
    writer.wrap(2, start);
  }
  const start = writer.mark;
  writeBody(trace, trace.root, parentSpanId === undefined ? hasIsRemote : hasIsRemote | isRemote);
  if (parentSpanId !== undefined) writer.hex(4, parentSpanId);
  writer.raw(shared);
  writer.wrap(2, start);
}

/** A span but for its trace and its parent. */
function writeBody(trace: Trace, span: Span, remoteFlags: number): void {
  writer.fixed32(16, trace.identity.flags | remoteFlags);
  if (span.error !== undefined) {
    const statusStart = writer.mark;
    writer.number(3, statusError);
    writer.field(2, span.error);
    writer.wrap(15, statusStart);
  }
  const { link } = trace.identity;
  if (link && span === trace.root) {
    const linkStart = writer.mark;
    writer.fixed32(6, link.flags | hasIsRemote | isRemote);
    writer.hex(2, link.spanId);
    writer.hex(1, link.traceId);
    writer.wrap(13, linkStart);
  }
  writeAttributes(writer, span);
  writeTime(8, span.endMs + trace.epochOffsetMs);
  writeTime(7, span.startMs + trace.epochOffsetMs);
  writer.number(6, kinds[span.kind]);
  writer.field(5, span.name);
  writer.words(2, span.idHigh, span.idLow);
}

/** Nanoseconds since the epoch, exact to the nanosecond that a double of milliseconds holds. */
function writeTime(field: number, ms: number): void {
  // A time that cannot be must not cost the batch: 2262 is the last year that the format has.
  const epochMs = Math.min(Math.max(ms, 0), 9.2e12) || 0;
  const seconds = Math.floor(epochMs / 1000);
  const nanos = Math.round((epochMs - seconds * 1000) * 1e6);
  // seconds * 1e9 + nanos, in two halves that are exact each.
  const upper = Math.floor(seconds / 65536) * 1e9;
  const low = (upper % 65536) * 65536 + (seconds % 65536) * 1e9 + nanos;
  writer.fixed64(field, Math.floor(upper / 65536) + Math.floor(low / 2 ** 32), low % 2 ** 32);
}
