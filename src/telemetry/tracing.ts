import { type Sample, sampler } from "./sampler.ts";
import type { TracingSettings } from "./settings.ts";
import { randomHex, Trace, type TraceIdentity } from "./trace.ts";
import { type Exported, type Origin, spansIn, type TraceExporter } from "./trace-exporter.ts";
import type { SpanContext } from "./w3c.ts";

/** What happened to the spans so far, in spans; over all generations of the configuration. */
export interface ExportHealth {
  exported: number;
  failed: number;
  dropped: number;
  /** Waiting or being sent. */
  queued: number;
  /** Of these, what is encoded already. */
  queuedBytes: number;
  /** Failed and dropped spans by reason: `unavailable`, `queue_full`, ... */
  readonly lost: Record<string, number>;
  lastError?: { readonly at: string; readonly message: string };
  lastSuccessAt?: string;
}

export const exportHealth = (): ExportHealth => ({
  exported: 0,
  failed: 0,
  dropped: 0,
  queued: 0,
  queuedBytes: 0,
  lost: {},
});

export interface Tracing {
  /** Off: nothing is recorded or propagated, so nothing need be read for it. */
  readonly enabled: boolean;
  /** Begins an exchange's trace: parent from gRPC metadata if valid, else from the request headers, else a new root. */
  begin(rootName: string, fromMetadata: SpanContext | undefined, fromHeaders: SpanContext | undefined): Trace;
  /** Takes a finished exchange; returns at once. Its spans are made and exported later, in batches. */
  finish(trace: Trace): void;
  readonly health: Readonly<ExportHealth>;
  /** Resolves when every exchange that was begun has been finished. */
  idle(): Promise<void>;
  /** Exports what waits, for at most `deadlineMs`, then stops. Never rejects. */
  shutdown(deadlineMs: number): Promise<void>;
}

export interface TracingOptions {
  readonly health?: ExportHealth;
  /** Receives a line when exporting fails, at most every ten seconds, and one when it works again. */
  readonly tell?: (level: "warn" | "info", message: string) => void;
  /** Last changes to a finished exchange before it is exported. */
  readonly finishing?: ((trace: Trace) => void) | undefined;
}

/** About 0.3 ms of main-thread work a batch, so a flush never shows in an exchange's tail. */
const batchExchanges = 32;
/** The exporter gathers for the rest of the configured delay. */
const longestFlushDelayMs = 50;
const logEveryMs = 10_000;

/**
 * The tracing pipeline behind the light records.
 * @param makeExporter where finished exchanges go; undefined: tracing is off, nothing is recorded or propagated.
 */
export function startTracing(
  settings: TracingSettings,
  version: string,
  makeExporter: ((origin: Origin) => TraceExporter) | undefined,
  { health = exportHealth(), tell = () => {}, finishing }: TracingOptions = {},
): Tracing {
  const sample = sampler(settings.sampling);
  const exporter = makeExporter?.({
    resource: settings.resource,
    scope: { name: "semantic-router", version },
  });
  const { maxSpans, maxBytes } = settings.queue;
  const flushDelayMs = Math.min(settings.delayMs, longestFlushDelayMs);
  const queue: Trace[] = [];
  const losses = lossReport(health, tell);
  let held = 0;
  let heldBytes = 0;
  let open = 0;
  let wake: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;

  const release = (spans: number, bytes: number) => {
    held -= spans;
    heldBytes -= bytes;
    health.queued -= spans;
    health.queuedBytes -= bytes;
  };

  const send = (to: TraceExporter): void => {
    const batch = queue.splice(0, batchExchanges);
    const spans = spansIn(batch);
    let bytes = 0;
    let over = false;
    const done = (result: Exported) => {
      if (over) return;
      over = true;
      release(spans, bytes);
      losses.count(result);
    };
    try {
      const taken = to.export(batch, done);
      if (over) return;
      bytes = taken;
      heldBytes += bytes;
      health.queuedBytes += bytes;
    } catch (error) {
      done({ exported: 0, failed: spans, reason: "exporter_error", message: (error as Error).message });
    }
  };
  const flush = (): void => {
    clearTimeout(timer);
    clearImmediate(immediate);
    timer = undefined;
    immediate = undefined;
    if (!exporter || queue.length === 0) return;
    send(exporter);
    if (queue.length > 0) schedule();
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
      open += 1;
      return new Trace(rootName, identify(sample, fromMetadata, fromHeaders), settings.valueLimit);
    },
    finish(trace) {
      if (!exporter) return;
      open -= 1;
      if (open === 0) wake?.();
      if (!trace.recording) return;
      finishing?.(trace);
      const spans = 1 + trace.children.length;
      if (held + spans > maxSpans || heldBytes >= maxBytes) {
        losses.drop(spans, held + spans > maxSpans ? "queue_full" : "queue_bytes");
        return;
      }
      held += spans;
      health.queued += spans;
      queue.push(trace);
      schedule();
    },
    idle: () =>
      new Promise((resolve) => {
        if (open === 0) resolve();
        else wake = resolve;
      }),
    async shutdown(deadlineMs) {
      if (!exporter) return;
      clearTimeout(timer);
      clearImmediate(immediate);
      while (queue.length > 0) send(exporter);
      await exporter.shutdown(deadlineMs).catch((error: Error) => losses.say(error.message));
      if (held <= 0) return;
      const lost = held;
      release(held, heldBytes);
      losses.count({ exported: 0, failed: lost, reason: "shutdown", message: "no answer before the end" });
    },
  };
}

/** Counts what was lost, and says so now and then. */
function lossReport(health: ExportHealth, tell: NonNullable<TracingOptions["tell"]>) {
  let lastSaidAt = Number.NEGATIVE_INFINITY;
  let unreported = 0;
  let failing = false;

  const say = (cause: string) => {
    health.lastError = { at: new Date().toISOString(), message: cause };
    if (performance.now() - lastSaidAt < logEveryMs) return;
    tell("warn", `Failed to export spans: ${cause} (${unreported} spans lost since the last such line)`);
    lastSaidAt = performance.now();
    unreported = 0;
  };
  const lose = (spans: number, reason: string, cause: string) => {
    health.lost[reason] = (health.lost[reason] ?? 0) + spans;
    unreported += spans;
    failing = true;
    say(cause);
  };
  return {
    say,
    drop(spans: number, reason: "queue_full" | "queue_bytes") {
      health.dropped += spans;
      lose(spans, reason, "the queue is full: the collector takes less than is traced");
    },
    count({ exported, failed, reason = "unknown", message }: Exported) {
      if (exported > 0) {
        health.exported += exported;
        health.lastSuccessAt = new Date().toISOString();
      }
      if (failed > 0) {
        health.failed += failed;
        lose(failed, reason, message ?? reason);
        return;
      }
      if (message !== undefined) tell("warn", `The collector took the spans and says: ${message}`);
      if (failing && exported > 0) {
        failing = false;
        tell("info", `Exporting spans again (${health.failed + health.dropped} spans lost so far)`);
      }
    },
  };
}

const untraced: TraceIdentity = { traceId: "", flags: 0, state: "", propagates: false };

function identify(
  sample: Sample,
  fromMetadata: SpanContext | undefined,
  fromHeaders: SpanContext | undefined,
): TraceIdentity {
  const parent = fromMetadata ?? fromHeaders;
  const traceId = parent?.traceId ?? randomHex(16);
  return {
    traceId,
    parentSpanId: parent?.spanId,
    flags: (sample(parent, traceId) ? 1 : 0) | (parent ? parent.flags & 2 : 2),
    state: parent?.state ?? "",
    link:
      fromMetadata && fromHeaders && fromHeaders.traceId !== fromMetadata.traceId ? fromHeaders : undefined,
    propagates: true,
  };
}
