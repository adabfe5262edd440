import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";
import { exportLedger } from "../../src/telemetry/ledger.ts";
import type { OtlpSettings, TracingSettings } from "../../src/telemetry/settings.ts";
import type { Trace } from "../../src/telemetry/trace.ts";
import type { Exported, TraceExporter } from "../../src/telemetry/trace-exporter.ts";
import { spansIn, viaSdk } from "../../src/telemetry/trace-exporter.ts";
import { startTracing, type Tracing } from "../../src/telemetry/tracing.ts";

/** Settings as an empty file with tracing on has them, with changes. */
export const settings = (changes: Partial<TracingSettings> = {}): TracingSettings => ({
  enabled: true,
  otlp: undefined,
  sampling: { type: "always_on", rate: 1, parent_based: true },
  resource: { "service.name": "vllm-semantic-router" },
  queue: { maxSpans: 32_768, maxBytes: 16_777_216 },
  delayMs: 200,
  valueLimit: 256,
  ...changes,
});

/** OTLP with the defaults of the configuration. */
export const otlpTo = (url: string, changes: Partial<OtlpSettings> = {}): OtlpSettings => ({
  protocol: "grpc",
  url,
  headers: {},
  headerFiles: {},
  tls: {},
  compression: "none",
  timeoutMs: 10_000,
  retry: { maxAttempts: 5, initialBackoffMs: 1000, maxBackoffMs: 5000 },
  batch: { maxSpans: 512, delayMs: 200, timeoutMs: 30_000 },
  ...changes,
});

type Take = (traces: readonly Trace[], done: (result: Exported) => void) => unknown;

/** Tracing with an exporter that is a function; by default it keeps the spans. `exporting: false` is tracing off. */
export function startWith({
  changes = {},
  exporting = true,
  exportTo,
  shutdown = async () => {},
  finishing,
}: {
  readonly changes?: Partial<TracingSettings>;
  readonly exporting?: boolean;
  readonly exportTo?: Take;
  readonly shutdown?: (deadlineMs: number) => Promise<void>;
  readonly finishing?: (trace: Trace) => void;
} = {}) {
  const spans: ReadableSpan[] = [];
  const told: string[] = [];
  const ledger = exportLedger((level, message) => told.push(`${level}: ${message}`));
  const keep: SpanExporter = {
    export(batch, done) {
      spans.push(...batch);
      done({ code: 0 });
    },
    shutdown: async () => {},
  };
  const tracing = startTracing(
    settings(changes),
    "9.9",
    exporting
      ? (origin): TraceExporter => {
          const sdk = viaSdk(keep, origin);
          return {
            export(traces, done) {
              if (!exportTo) return sdk.export(traces, done);
              const bytes = exportTo(traces, done);
              return typeof bytes === "number" ? bytes : 0;
            },
            shutdown,
          };
        }
      : undefined,
    { ledger, finishing },
  );
  return { tracing, spans, told, ledger };
}

export const all = (traces: readonly Trace[]): Exported => ({ exported: spansIn(traces), failed: 0 });
/** An exchange that has ended, with so many stages. */
export function finished(tracing: Tracing, stages = 0): Trace {
  const at = tracing.begin("root", undefined, undefined);
  for (let i = 0; i < stages; i++) at.open(`stage ${i}`).end();
  at.root.end();
  return at;
}
