import { type HrTime, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { type ExportResult, ExportResultCode, hrTimeToNanoseconds } from "@opentelemetry/core";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";

const none = { traceId: "0".repeat(32), spanId: "0".repeat(16), traceFlags: 0, traceState: undefined };
const kindNumbers = {
  [SpanKind.INTERNAL]: 1,
  [SpanKind.SERVER]: 2,
  [SpanKind.CLIENT]: 3,
  [SpanKind.PRODUCER]: 4,
  [SpanKind.CONSUMER]: 5,
};
const statusNames = {
  [SpanStatusCode.UNSET]: "Unset",
  [SpanStatusCode.OK]: "Ok",
  [SpanStatusCode.ERROR]: "Error",
};

/** Writes each span as one JSON object in the form of the tracing guide: pretty on a terminal, else a line each. */
export function stdoutExporter(
  out: NodeJS.WritableStream & { isTTY?: boolean } = process.stdout,
): SpanExporter {
  const indent = out.isTTY ? "\t" : undefined;
  // A reader that has gone (`| head`) is told by the callback below; unheard, the event would end the process.
  out.on("error", () => {});
  return {
    export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
      const text = spans.map((span) => `${JSON.stringify(guideForm(span), null, indent)}\n`).join("");
      out.write(text, (error) =>
        done(error ? { code: ExportResultCode.FAILED, error } : { code: ExportResultCode.SUCCESS }),
      );
    },
    shutdown: () => Promise.resolve(),
  };
}

/** The tracing guide's object: attributes flat, `Duration` in nanoseconds. */
export function guideForm(span: ReadableSpan): Record<string, unknown> {
  return {
    Name: span.name,
    SpanContext: context(span.spanContext()),
    Parent: context(span.parentSpanContext ?? none),
    SpanKind: kindNumbers[span.kind],
    StartTime: rfc3339(span.startTime),
    EndTime: rfc3339(span.endTime),
    Duration: hrTimeToNanoseconds(span.duration),
    Attributes: pairs(span.attributes),
    Events: null,
    Links:
      span.links.length === 0 ? null : span.links.map((link) => ({ SpanContext: context(link.context) })),
    Status: { Code: statusNames[span.status.code], Description: span.status.message ?? "" },
    Resource: pairs(span.resource.attributes),
    InstrumentationScope: {
      Name: span.instrumentationScope.name,
      Version: span.instrumentationScope.version ?? "",
    },
  };
}

function context(of: {
  traceId: string;
  spanId: string;
  traceFlags: number;
  traceState?: { serialize(): string } | undefined;
}) {
  return {
    TraceID: of.traceId,
    SpanID: of.spanId,
    TraceFlags: of.traceFlags.toString(16).padStart(2, "0"),
    TraceState: of.traceState?.serialize() ?? "",
  };
}

const pairs = (attributes: object) => Object.entries(attributes).map(([Key, Value]) => ({ Key, Value }));

function rfc3339([seconds, nanos]: HrTime): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, "0")}Z`;
}
