import { ExportResultCode } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { SpanExporter } from "@opentelemetry/sdk-trace-base";
import type { Config } from "../config/schema.ts";
import { toReadableSpans } from "./readable.ts";
import { sampler } from "./sampler.ts";
import { randomHex, Trace } from "./trace.ts";
import type { SpanContext } from "./w3c.ts";

type TracingPolicy = Config["observability"]["tracing"];

/** What happened to the spans so far. Counts of spans, except `queued`: exchanges that wait. */
export interface ExportHealth {
  exported: number;
  failed: number;
  dropped: number;
  queued: number;
}

export interface Tracing {
  /** Begins an exchange's trace: parent from gRPC metadata if valid, else from the request headers, else a new root. */
  begin(rootName: string, fromMetadata: SpanContext | undefined, fromHeaders: SpanContext | undefined): Trace;
  /** Takes a finished exchange; returns at once. Its spans are made and exported later, in batches. */
  finish(trace: Trace): void;
  readonly health: Readonly<ExportHealth>;
  /** Exports what waits, for at most `deadlineMs`, then stops. Never rejects. */
  shutdown(deadlineMs: number): Promise<void>;
}

/** About 0.3 ms of main-thread work a batch, so a flush never shows in an exchange's tail. */
const batchExchanges = 32;
const flushDelayMs = 1000;
const queueExchanges = 2048;
const logEveryMs = 10_000;

/**
 * The tracing pipeline behind the light records.
 * @param exporter where finished spans go; undefined: tracing is off, nothing is recorded or propagated.
 * @param warn receives one line at most every ten seconds when exporting fails.
 */
export function startTracing(
  policy: TracingPolicy,
  version: string,
  exporter: SpanExporter | undefined,
  warn: (message: string) => void,
): Tracing {
  const sample = sampler(policy.sampling);
  const scope = { name: "semantic-router", version };
  const resource = resourceFromAttributes(resourceAttributes(policy.resource));
  const health: ExportHealth = { exported: 0, failed: 0, dropped: 0, queued: 0 };
  const queue: Trace[] = [];
  const exporting = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let lastWarning = Number.NEGATIVE_INFINITY;
  let unreported = 0;

  const failed = (spans: number, cause: string) => {
    health.failed += spans;
    unreported += spans;
    if (performance.now() - lastWarning < logEveryMs) return;
    warn(`Failed to export spans: ${cause} (${unreported} spans lost since the last such line)`);
    lastWarning = performance.now();
    unreported = 0;
  };

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const batch = queue.splice(0, batchExchanges);
    health.queued = queue.length;
    if (batch.length === 0 || !exporter) return;
    const spans = batch.flatMap((trace) => toReadableSpans(trace, resource, scope));
    const sent = new Promise<void>((resolve) => {
      exporter.export(spans, (result) => {
        if (result.code === ExportResultCode.SUCCESS) health.exported += spans.length;
        else failed(spans.length, result.error?.message ?? "the exporter gave no reason");
        resolve();
      });
    }).finally(() => exporting.delete(sent));
    exporting.add(sent);
    if (queue.length > 0) schedule();
  };
  const schedule = () => {
    if (queue.length >= batchExchanges) setImmediate(flush);
    else timer ??= setTimeout(flush, flushDelayMs).unref();
  };

  return {
    health,
    begin(rootName, fromMetadata, fromHeaders) {
      const parent = fromMetadata ?? fromHeaders;
      const traceId = parent?.traceId ?? randomHex(16);
      const propagates = exporter !== undefined;
      const sampled = propagates && sample(parent, traceId);
      return new Trace(rootName, {
        traceId,
        parentSpanId: parent?.spanId,
        flags: (sampled ? 1 : 0) | (parent ? parent.flags & 2 : 2),
        state: parent?.state ?? "",
        link:
          fromMetadata && fromHeaders && fromHeaders.traceId !== fromMetadata.traceId
            ? fromHeaders
            : undefined,
        propagates,
      });
    },
    finish(trace) {
      if (!trace.recording) return;
      if (queue.length >= queueExchanges) {
        health.dropped += 1 + trace.children.length;
        return;
      }
      queue.push(trace);
      health.queued = queue.length;
      schedule();
    },
    async shutdown(deadlineMs) {
      while (queue.length > 0) flush();
      const deadline = new Promise((resolve) => setTimeout(resolve, deadlineMs).unref());
      const drained = Promise.all(exporting).then(() => exporter?.shutdown());
      await Promise.race([drained.catch((error: Error) => failed(0, error.message)), deadline]);
    },
  };
}

function resourceAttributes(resource: TracingPolicy["resource"]): Record<string, string> {
  const environment = resource.deployment_environment;
  return {
    "service.name": resource.service_name,
    ...(resource.service_version && { "service.version": resource.service_version }),
    // The second name is what dashboards made before 2024 look for.
    ...(environment && { "deployment.environment.name": environment, "deployment.environment": environment }),
  };
}
