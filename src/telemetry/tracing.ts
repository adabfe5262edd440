import { ExportResultCode } from "@opentelemetry/core";
import type { Config } from "../config/schema.ts";
import { spansIn } from "./otlp-exporter.ts";
import { sampler } from "./sampler.ts";
import { randomHex, Trace, type TraceIdentity } from "./trace.ts";
import type { Origin, TraceExporter } from "./trace-exporter.ts";
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
  /** Off: nothing is recorded or propagated, so nothing need be read for it. */
  readonly enabled: boolean;
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
const flushDelayMs = 200;
const queueExchanges = 2048;
/** A collector that does not answer holds this many batches; what comes after waits in the queue, whose length counts. */
const batchesUnderWay = 16;
const logEveryMs = 10_000;

/**
 * The tracing pipeline behind the light records.
 * @param makeExporter where finished exchanges go; undefined: tracing is off, nothing is recorded or propagated.
 * @param warn receives one line at most every ten seconds when exporting fails.
 */
export function startTracing(
  policy: TracingPolicy,
  version: string,
  makeExporter: ((origin: Origin) => TraceExporter) | undefined,
  warn: (message: string) => void,
): Tracing {
  const sample = sampler(policy.sampling);
  const exporter = makeExporter?.({
    resource: resourceAttributes(policy.resource),
    scope: { name: "semantic-router", version },
  });
  const health: ExportHealth = { exported: 0, failed: 0, dropped: 0, queued: 0 };
  const queue: Trace[] = [];
  const exporting = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;
  let lastWarning = Number.NEGATIVE_INFINITY;
  let unreported = 0;
  let outOfTime = false;
  let underWay = 0;

  const failed = (spans: number, cause: string) => {
    health.failed += spans;
    unreported += spans;
    if (performance.now() - lastWarning < logEveryMs) return;
    warn(`Failed to export spans: ${cause} (${unreported} spans lost since the last such line)`);
    lastWarning = performance.now();
    unreported = 0;
  };

  const send = (to: TraceExporter): void => {
    const batch = queue.splice(0, batchExchanges);
    health.queued = queue.length;
    const spans = spansIn(batch);
    underWay += spans;
    const sent = new Promise<void>((resolve, reject) => {
      to.export(batch, (result) => {
        if (result.code !== ExportResultCode.SUCCESS)
          return reject(result.error ?? new Error("the exporter gave no reason"));
        health.exported += spans;
        resolve();
      });
    })
      .catch((error: Error) => failed(spans, error.message))
      .finally(() => {
        exporting.delete(sent);
        underWay -= spans;
        if (queue.length > 0) schedule();
      });
    exporting.add(sent);
  };
  const flush = (): void => {
    clearTimeout(timer);
    clearImmediate(immediate);
    timer = undefined;
    immediate = undefined;
    if (!exporter || queue.length === 0 || exporting.size >= batchesUnderWay) return;
    send(exporter);
    if (queue.length > 0) schedule();
  };
  const drain = async (): Promise<void> => {
    while (exporter && queue.length > 0 && !outOfTime) {
      if (exporting.size >= batchesUnderWay) await Promise.race(exporting);
      else send(exporter);
    }
    await Promise.all(exporting);
    await exporter?.shutdown();
  };
  const schedule = () => {
    if (queue.length >= batchExchanges) immediate ??= setImmediate(flush);
    else timer ??= setTimeout(flush, flushDelayMs).unref();
  };

  return {
    health,
    enabled: exporter !== undefined,
    begin(rootName, fromMetadata, fromHeaders) {
      if (!exporter) return new Trace(rootName, untraced);
      const parent = fromMetadata ?? fromHeaders;
      const traceId = parent?.traceId ?? randomHex(16);
      const sampled = sample(parent, traceId);
      return new Trace(rootName, {
        traceId,
        parentSpanId: parent?.spanId,
        flags: (sampled ? 1 : 0) | (parent ? parent.flags & 2 : 2),
        state: parent?.state ?? "",
        link:
          fromMetadata && fromHeaders && fromHeaders.traceId !== fromMetadata.traceId
            ? fromHeaders
            : undefined,
        propagates: true,
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
      let timeout: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => {
        timeout = setTimeout(() => {
          outOfTime = true;
          failed(underWay + spansIn(queue), "no answer before the end");
          resolve();
        }, deadlineMs);
      });
      await Promise.race([drain().catch((error: Error) => failed(0, error.message)), deadline]);
      clearTimeout(timeout);
    },
  };
}

const untraced: TraceIdentity = { traceId: "", flags: 0, state: "", propagates: false };

function resourceAttributes(resource: TracingPolicy["resource"]): Record<string, string> {
  const environment = resource.deployment_environment;
  return {
    "service.name": resource.service_name,
    ...(resource.service_version && { "service.version": resource.service_version }),
    // The second name is what dashboards made before 2024 look for.
    ...(environment && { "deployment.environment.name": environment, "deployment.environment": environment }),
  };
}
