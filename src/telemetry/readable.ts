import { type Attributes, type HrTime, SpanKind, SpanStatusCode, type TraceFlags } from "@opentelemetry/api";
import { type InstrumentationScope, TraceState } from "@opentelemetry/core";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import type { Span, Trace } from "./trace.ts";
import { recordedState } from "./w3c.ts";

const kinds = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;

/** A finished exchange as OpenTelemetry spans: the root first, then its children in order of opening. */
export function toReadableSpans(
  trace: Trace,
  resource: Resource,
  scope: InstrumentationScope,
): ReadableSpan[] {
  const { traceId, parentSpanId, flags, state, link } = trace.identity;
  const traceFlags = flags as TraceFlags;
  const recorded = recordedState(state);
  const shared = { traceId, traceFlags, ...(recorded && { traceState: new TraceState(recorded) }) };
  const parentOfRoot = parentSpanId ? { ...shared, spanId: parentSpanId, isRemote: true } : undefined;
  const rootContext = { ...shared, spanId: trace.root.spanId };

  const readable = (span: Span, parent: typeof parentOfRoot | typeof rootContext): ReadableSpan => {
    const startTime = hrTime(span.startMs + trace.epochOffsetMs);
    const endTime = hrTime(span.endMs + trace.epochOffsetMs);
    return {
      name: span.name,
      kind: kinds[span.kind],
      spanContext: () => ({ ...shared, spanId: span.spanId }),
      ...(parent && { parentSpanContext: parent }),
      startTime,
      endTime,
      duration: hrTime(span.endMs - span.startMs),
      status:
        span.error === undefined
          ? { code: SpanStatusCode.UNSET }
          : { code: SpanStatusCode.ERROR, message: span.error },
      attributes: toAttributes(span),
      links:
        link && span === trace.root
          ? [
              {
                context: {
                  traceId: link.traceId,
                  spanId: link.spanId,
                  traceFlags: link.flags,
                  isRemote: true,
                },
              },
            ]
          : [],
      events: [],
      ended: true,
      resource,
      instrumentationScope: scope,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  };
  return [readable(trace.root, parentOfRoot), ...trace.children.map((child) => readable(child, rootContext))];
}

function toAttributes(span: Span): Attributes {
  const attributes: Attributes = {};
  for (let i = 0; i < span.attributes.length; i += 2) {
    attributes[span.attributes[i] as string] = span.attributes[i + 1] as Attributes[string];
  }
  return attributes;
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  const nanos = Math.round((ms - seconds * 1000) * 1e6);
  return nanos < 1e9 ? [seconds, nanos] : [seconds + 1, 0];
}
