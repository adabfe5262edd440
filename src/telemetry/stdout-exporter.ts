import { type HrTime, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { hrTimeToNanoseconds } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { toReadableSpans } from "./readable.ts";
import type { Exported, Origin, TraceExporter } from "./trace-exporter.ts";

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
  { resource, scope }: Origin,
  out: NodeJS.WritableStream & { isTTY?: boolean } = process.stdout,
): TraceExporter {
  const indent = out.isTTY ? "\t" : undefined;
  const sdkResource = resourceFromAttributes({ ...resource });
  /** What the reader has not taken, with its number of spans. */
  const writing = new Map<(result: Exported) => void, number>();
  let emptied = (): void => {};
  // A reader that has gone (`| head`) is told by the callback below; unheard, the event would end the process.
  if (!out.listeners("error").includes(ignore)) out.on("error", ignore);

  return {
    export(traces, done) {
      const spans = traces.flatMap((trace) => toReadableSpans(trace, sdkResource, scope));
      const text = spans.map((span) => `${JSON.stringify(guideForm(span), null, indent)}\n`).join("");
      const settle = (result: Exported): void => {
        if (!writing.delete(settle)) return;
        done(result);
        if (writing.size === 0) emptied();
      };
      writing.set(settle, spans.length);
      out.write(text, (error) =>
        settle(
          error
            ? { exported: 0, failed: spans.length, ...failure(error) }
            : { exported: spans.length, failed: 0 },
        ),
      );
      return Buffer.byteLength(text);
    },
    async shutdown(deadlineMs) {
      if (writing.size === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      emptied = resolve;
      const timer = setTimeout(resolve, deadlineMs);
      await promise;
      clearTimeout(timer);
      const message = `standard output: not read before the end (${deadlineMs} ms)`;
      for (const [settle, failed] of [...writing])
        settle({ exported: 0, failed, reason: "shutdown", message });
    },
  };
}

const ignore = (): void => {};

function failure({ code, message }: NodeJS.ErrnoException): Required<Pick<Exported, "reason" | "message">> {
  const gone = code === "EPIPE" || code === "ECONNRESET" || code === "ERR_STREAM_DESTROYED";
  return { reason: gone ? "closed" : "write_failed", message: `standard output: ${message}` };
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
