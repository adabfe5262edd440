import { type ExportHealth, exportLedger, type Ledger } from "./ledger.ts";
import { type Sample, sampler } from "./sampler.ts";
import type { TracingSettings } from "./settings.ts";
import { randomHex, Trace, type TraceIdentity } from "./trace.ts";
import { type Exported, type Origin, spansIn, type TraceExporter, type Unsent } from "./trace-exporter.ts";
import type { SpanContext } from "./w3c.ts";

export interface Tracing {
  /** Off: nothing is recorded or propagated, so nothing need be read for it. */
  readonly enabled: boolean;
  /** Begins an exchange's trace: parent from gRPC metadata if valid, else from the request headers, else a new root. */
  begin(rootName: string, fromMetadata: SpanContext | undefined, fromHeaders: SpanContext | undefined): Trace;
  /** Takes a finished exchange; returns at once. Its spans are made and exported later, in batches. */
  finish(trace: Trace): void;
  readonly health: Readonly<ExportHealth>;
  /**
   * Ends this tracing in favour of the next. What its collector has not taken is handed over; exchanges still under way
   * are exported by the next as each of them finishes, or by this one where the next is off.
   * @param deadlineMs for what is left, where the next cannot take it over.
   */
  retire(next: Tracing, deadlineMs: number): Promise<void>;
  /** Takes a finished exchange that another tracing began. */
  take(trace: Trace): void;
  /** Takes over spans that another tracing has encoded and not sent; undefined: this one cannot. */
  readonly adopt: ((pieces: readonly Unsent[]) => void) | undefined;
  /** Exports what waits, for at most `deadlineMs`, then stops. Never rejects. */
  shutdown(deadlineMs: number): Promise<void>;
}

export interface TracingOptions {
  /** Counts and tells, for this tracing and those before it. */
  readonly ledger?: Ledger;
  /** Last changes to a finished exchange before it is exported. */
  readonly finishing?: ((trace: Trace) => void) | undefined;
}

/** About 0.3 ms of main-thread work a batch, so a flush never shows in an exchange's tail. */
const batchExchanges = 32;
/** The exporter gathers for the rest of the configured delay. */
const longestFlushDelayMs = 50;

/**
 * The tracing pipeline behind the light records.
 * @param makeExporter where finished exchanges go; undefined: tracing is off, nothing is recorded or propagated.
 */
export function startTracing(
  settings: TracingSettings,
  version: string,
  makeExporter: ((origin: Origin) => TraceExporter) | undefined,
  { ledger = exportLedger(), finishing }: TracingOptions = {},
): Tracing {
  const sample = sampler(settings.sampling);
  const exporter = makeExporter?.({
    resource: settings.resource,
    scope: { name: "semantic-router", version },
  });
  const { maxSpans, maxBytes } = settings.queue;
  const flushDelayMs = Math.min(settings.delayMs, longestFlushDelayMs);
  const queue: Trace[] = [];
  const { health } = ledger;
  /** Batches that the exporter has not answered for. */
  const underWay = new Set<() => void>();
  let open = 0;
  let successor: Tracing | undefined;
  let wake: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;

  const send = (to: TraceExporter): void => {
    const batch = queue.splice(0, batchExchanges);
    const spans = spansIn(batch);
    let bytes = 0;
    const done = (result: Exported) => {
      if (!underWay.delete(writeOff)) return;
      health.queued -= spans;
      health.queuedBytes -= bytes;
      ledger.settle(result);
    };
    const writeOff = () =>
      done({ exported: 0, failed: spans, reason: "shutdown", message: "no answer before the end" });
    underWay.add(writeOff);
    try {
      const taken = to.export(batch, done);
      if (!underWay.has(writeOff)) return;
      bytes = taken;
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

  const take = (trace: Trace): void => {
    if (successor) {
      successor.take(trace);
      return;
    }
    const spans = 1 + trace.children.length;
    // Over all generations: what a reload left behind takes room as well.
    const full = health.queued + spans > maxSpans;
    if (full || health.queuedBytes >= maxBytes) {
      ledger.drop(spans, full ? "queue_full" : "queue_bytes");
      return;
    }
    health.queued += spans;
    queue.push(trace);
    schedule();
  };

  return {
    health,
    take,
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
      take(trace);
    },
    adopt: exporter?.adopt && ((pieces) => exporter.adopt?.(pieces)),
    async retire(next, deadlineMs) {
      if (!exporter) return;
      if (next.enabled) {
        successor = next;
        const left = queue.splice(0);
        health.queued -= spansIn(left);
        for (const trace of left) next.take(trace);
      } else if (open > 0) {
        exporter.rest?.();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        while (queue.length > 0) send(exporter);
      }
      if (next.adopt && exporter.release) next.adopt(await exporter.release());
      await exporter.shutdown(deadlineMs).catch(() => {});
    },
    async shutdown(deadlineMs) {
      if (!exporter) return;
      clearTimeout(timer);
      clearImmediate(immediate);
      while (queue.length > 0) send(exporter);
      await exporter.shutdown(deadlineMs).catch(() => {});
      for (const writeOff of [...underWay]) writeOff();
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
