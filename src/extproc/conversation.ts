import { randomUUID } from "node:crypto";
import { readTraceContext, type SpanContext } from "../telemetry/w3c.ts";
import type { LogEntry } from "./access-log.ts";
import type { Dialogue } from "./dialogue.ts";
import type { Exchange } from "./exchange.ts";
import { proceed } from "./forwarding.ts";
import { names, noHeaders } from "./headers.ts";
import { requestPhase } from "./request-phase.ts";
import { overhear } from "./response-phase.ts";
import { describeRequest } from "./root-span.ts";
import type { Serving } from "./service.ts";
import { conclude, type Story } from "./story.ts";

/**
 * One ext_proc stream from its first message to its end: each message gets exactly one answer, in order. The root span
 * lasts until the exchange has ended; it is finished once Envoy's access log has said why, or will not say it any more.
 * Rejects on a fault of ours only; then Envoy must be told of an error.
 * @param fromMetadata the trace context that Envoy's own tracer sent; asked for where tracing is on.
 */
export async function converse(
  envoy: Dialogue,
  serving: Serving,
  fromMetadata: () => SpanContext | undefined,
): Promise<void> {
  const opening = await envoy.next();
  if (!opening) return;
  const service = serving.enter();
  const { tracing } = service;
  const headers = opening.phase === "requestHeaders" ? opening.headers : noHeaders;
  const at = tracing.enabled
    ? tracing.begin(
        "semantic_router.request.received",
        fromMetadata(),
        readTraceContext(headers.all(names.traceparent), headers.all(names.tracestate)),
      )
    : tracing.begin("semantic_router.request.received", undefined, undefined);
  const story: Story = { ending: "aborted", reason: "ended_before_verdict" };
  const requestId = headers.get(names.requestId) ?? randomUUID();
  const expected = at.recording
    ? serving.endings.expect({
        requestId,
        startUs: microseconds(opening.attributes.get("request.time")),
        heardMs: at.root.startMs + at.epochOffsetMs,
      })
    : undefined;
  const exchange: Exchange = { envoy, opening, requestId, service, at, story };
  try {
    describeRequest(at, headers, requestId, service);
    if (opening.phase === "requestHeaders") await requestPhase(exchange, serving);
    else {
      // An operator may skip request headers; without them there is nothing to decide on.
      story.ending = "passthrough";
      envoy.answer(proceed(opening));
      await overhear(exchange, undefined);
    }
  } finally {
    at.root.set("config.generation", service.generation).set("processing.time_ms", envoy.busyMs).end();
    story.cutBy = envoy.cutBy;
    story.lastHeardMs = envoy.lastHeardMs;
    const finish = (entry: LogEntry | undefined, lost: boolean) => {
      conclude(at, story, entry, lost);
      tracing.finish(at);
    };
    // An upgraded connection lives on beyond the stream.
    if (expected) expected.ended(finish, story.status === 101);
    else tracing.finish(at);
    serving.leave(service);
  }
}

/** A timestamp as Envoy writes it, `2026-11-21T17:54:33.566578+00:00`, fractions of any length, since the epoch. */
function microseconds(time: string | number | undefined): number | undefined {
  const [, date, fraction = ""] = /^([\d-]+T[\d:]+)(?:\.(\d+))?\+00:00$/.exec(String(time)) ?? [];
  const ms = date === undefined ? Number.NaN : Date.parse(`${date}Z`);
  return Number.isNaN(ms) ? undefined : ms * 1000 + Number(fraction.slice(0, 6).padEnd(6, "0"));
}
