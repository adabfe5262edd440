import type { ExportResult } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { SpanExporter } from "@opentelemetry/sdk-trace-base";
import { toReadableSpans } from "./readable.ts";
import type { Trace } from "./trace.ts";

/** Who the spans are from: the resource's attributes and the instrumentation scope. */
export interface Origin {
  readonly resource: Readonly<Record<string, string>>;
  readonly scope: { readonly name: string; readonly version: string };
}

/** Where finished exchanges go. `done` is called once, success or not. */
export interface TraceExporter {
  export(traces: readonly Trace[], done: (result: ExportResult) => void): void;
  shutdown(): Promise<void>;
}

/** Any of OpenTelemetry's span exporters. */
export function viaSdk(exporter: SpanExporter, { resource, scope }: Origin): TraceExporter {
  const sdkResource = resourceFromAttributes({ ...resource });
  return {
    export: (traces, done) =>
      exporter.export(
        traces.flatMap((trace) => toReadableSpans(trace, sdkResource, scope)),
        done,
      ),
    shutdown: () => exporter.shutdown(),
  };
}
