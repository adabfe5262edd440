import { randomUUID } from "node:crypto";
import type { Tracing } from "../telemetry/tracing.ts";
import { readTraceContext, type SpanContext } from "../telemetry/w3c.ts";
import type { Dialogue } from "./dialogue.ts";
import type { Exchange } from "./exchange.ts";
import { proceed } from "./forwarding.ts";
import { names, noHeaders } from "./headers.ts";
import { requestPhase } from "./request-phase.ts";
import { overhear } from "./response-phase.ts";
import { describeRequest, type Story } from "./root-span.ts";
import type { Serving } from "./service.ts";

/**
 * One ext_proc stream from its first message to its end: each message gets exactly one answer, in order. The root span
 * lasts until Envoy has ended the stream. Rejects on a fault of ours only; then Envoy must be told of an error.
 */
export async function converse(
  envoy: Dialogue,
  serving: Serving,
  tracing: Tracing,
  fromMetadata: SpanContext | undefined,
): Promise<void> {
  const opening = await envoy.next();
  if (!opening) return;
  const service = serving.current();
  const headers = opening.phase === "requestHeaders" ? opening.headers : noHeaders;
  const at = tracing.begin(
    "semantic_router.request.received",
    fromMetadata,
    tracing.enabled
      ? readTraceContext(headers.all(names.traceparent), headers.all(names.tracestate))
      : undefined,
  );
  const story: Story = { ending: "aborted", reason: "ended_before_verdict" };
  const requestId = headers.get(names.requestId) ?? randomUUID();
  const exchange: Exchange = { envoy, opening, requestId, service, at, story };
  describeRequest(at, headers, requestId);
  try {
    if (opening.phase === "requestHeaders") await requestPhase(exchange, serving);
    else {
      // An operator may skip request headers; without them there is nothing to decide on.
      story.ending = "passthrough";
      envoy.answer(proceed(opening));
      await overhear(exchange, undefined);
    }
  } finally {
    at.root
      .set("http.response.status_code", story.status)
      .set("outcome", story.ending)
      .set("outcome.reason", story.reason)
      .set("config.generation", service.generation)
      .set("processing.time_ms", envoy.busyMs)
      .end();
    tracing.finish(at);
  }
}
