import { ExportResultCode } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { SpanExporter } from "@opentelemetry/sdk-trace-base";
import { toReadableSpans } from "./readable.ts";
import type { Trace } from "./trace.ts";

/** Who the spans are from: the resource's attributes and the instrumentation scope. */
export interface Origin {
  readonly resource: Readonly<Record<string, string>>;
  readonly scope: { readonly name: string; readonly version: string };
}

/** What became of the spans that were handed over together. */
export interface Exported {
  readonly exported: number;
  readonly failed: number;
  /** Why spans failed, as a word that can be counted by: `unavailable`, `rejected`, `timeout`, ... */
  readonly reason?: string;
  /** The same for a person. */
  readonly message?: string;
}

/** Where finished exchanges go. */
export interface TraceExporter {
  /**
   * Takes finished exchanges and returns at once. `done` is called exactly once, at any time.
   * @returns bytes that are held until `done`.
   */
  export(traces: readonly Trace[], done: (result: Exported) => void): number;
  /** Sends what it holds for at most `deadlineMs`, then frees everything. What is lost by then is told to `done`. Never rejects. */
  shutdown(deadlineMs: number): Promise<void>;
  /** From now on it keeps no thread or connection while it has nothing to send. Exporting goes on as before. */
  rest?(): void;
  /**
   * Stops sending and gives back what was not taken yet, for another exporter to `adopt`: their `done` has not been called,
   * and will not be by this one. A request under way is waited for, at most for its time. Exporting goes on as before.
   */
  release?(): Promise<readonly Unsent[]>;
  /** Sends what another exporter gave back, and calls its `done`. The memory of the bytes is handed over. */
  adopt?(pieces: readonly Unsent[]): void;
}

/** Encoded spans, with those who want to know what becomes of them. */
export interface Unsent {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly spans: number;
  readonly done: (result: Exported) => void;
}

export const spansIn = (traces: readonly Trace[]): number =>
  traces.reduce((sum, trace) => sum + 1 + trace.children.length, 0);

/** Any of OpenTelemetry's span exporters. */
export function viaSdk(exporter: SpanExporter, { resource, scope }: Origin): TraceExporter {
  const sdkResource = resourceFromAttributes({ ...resource });
  return {
    export(traces, done) {
      const spans = traces.flatMap((trace) => toReadableSpans(trace, sdkResource, scope));
      exporter.export(spans, ({ code, error }) =>
        done(
          code === ExportResultCode.SUCCESS
            ? { exported: spans.length, failed: 0 }
            : {
                exported: 0,
                failed: spans.length,
                reason: error?.name ?? "unknown",
                message: error?.message ?? "the exporter gave no reason",
              },
        ),
      );
      return 0;
    },
    async shutdown(deadlineMs) {
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, deadlineMs);
      });
      await Promise.race([exporter.shutdown().catch(() => {}), deadline]);
      clearTimeout(timer);
    },
  };
}
