import type { ExportResult } from "@opentelemetry/core";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";
import { parseConfig } from "../../src/config/load.ts";
import type { Tracing as Policy } from "../../src/config/schema.ts";
import type { Trace } from "../../src/telemetry/trace.ts";
import { viaSdk } from "../../src/telemetry/trace-exporter.ts";
import { startTracing, type Tracing } from "../../src/telemetry/tracing.ts";

type Export = (spans: ReadableSpan[], done: (result: ExportResult) => void) => void;

/** Tracing with an exporter that is a function; by default it keeps the spans. `exporting: false` is tracing off. */
export function startWith({
  sampling,
  resource,
  exporting = true,
  exportTo = (_, done) => done({ code: 0 }),
  shutdown = async () => {},
}: Partial<Pick<Policy, "sampling" | "resource">> & {
  readonly exporting?: boolean;
  readonly exportTo?: Export;
  readonly shutdown?: () => Promise<void>;
} = {}) {
  const spans: ReadableSpan[] = [];
  const warnings: string[] = [];
  const exporter: SpanExporter = {
    export(batch, done) {
      spans.push(...batch);
      exportTo(batch, done);
    },
    shutdown,
  };
  const { tracing: defaults } = parseConfig("").config.observability;
  const policy = { ...defaults, ...(sampling && { sampling }), ...(resource && { resource }) };
  const tracing = startTracing(
    policy,
    "9.9",
    exporting ? (origin) => viaSdk(exporter, origin) : undefined,
    (line) => warnings.push(line),
  );
  return { tracing, spans, warnings };
}

/** An exchange that has ended, with so many stages. */
export function finished(tracing: Tracing, stages = 0): Trace {
  const at = tracing.begin("root", undefined, undefined);
  for (let i = 0; i < stages; i++) at.open(`stage ${i}`).end();
  at.root.end();
  return at;
}
