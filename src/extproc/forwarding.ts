import type { Outcome } from "../outcome.ts";
import { formatTraceparent } from "../telemetry/w3c.ts";
import { bodyMode, type Message } from "./decode.ts";
import type { Answer, HeaderMutation, Proceed } from "./encode.ts";
import type { Exchange } from "./exchange.ts";
import { names } from "./headers.ts";

/** "Carry on" in answer to a message. One of an unknown kind is taken for request headers: Envoy refuses the exchange. */
export const proceed = ({ phase }: Message, changes: HeaderMutation = {}): Proceed => ({
  kind: "proceed",
  phase: phase ?? "requestHeaders",
  ...changes,
});

/**
 * The answer to the headers of a request whose body is waited for: takes away what only the router may set, and asks
 * for the whole body where the operator configured something else.
 */
export function stripReserved({ headers, requestBodyMode }: Message): Answer {
  const remove = headers.reserved();
  const buffered = requestBodyMode === undefined || requestBodyMode === bodyMode.buffered;
  return {
    kind: "proceed",
    phase: "requestHeaders",
    remove,
    // The route was chosen with the client's headers in place.
    clearRouteCache: remove.length > 0,
    ...(!buffered && { bodyModes: { request: bodyMode.buffered, response: bodyMode.streamed } }),
  };
}

/**
 * The forward verdict: where it goes, as what, under which trace, and the body if it changed.
 * @param verdictOn the message it answers: the headers, or the body.
 */
export function forwardMutation(
  { opening, requestId, service, at }: Exchange,
  outcome: Outcome & { kind: "forward" },
  verdictOn: Message,
  upgrade: boolean,
): Answer {
  const { headers } = opening;
  const { backend, body, selection } = outcome;
  const set: [string, string][] = [];
  if (backend) {
    set.push([
      names.destinationEndpoint,
      service.endpointHeader === "name" ? backend.name : backend.hostPort,
    ]);
  }
  if (selection) set.push([names.selectedModel, selection.model]);
  if (!headers.get(names.requestId)) set.push([names.requestId, requestId]);
  const remove = headers.reserved();
  if (at.identity.propagates) {
    const { traceId, flags, state } = at.identity;
    set.push([names.traceparent, formatTraceparent(traceId, outcome.upstream.spanId, flags)]);
    if (state) set.push([names.tracestate, state]);
    else if (headers.get(names.tracestate) !== undefined) remove.push(names.tracestate);
  }
  // A chunked body has no length to keep right.
  if (body && headers.get(names.contentLength) !== undefined)
    set.push([names.contentLength, String(body.length)]);
  return {
    kind: "proceed",
    phase: verdictOn.phase ?? "requestHeaders",
    set,
    remove,
    clearRouteCache: service.clearRouteCache,
    ...(body && { body }),
    ...bodyModesFor(verdictOn, upgrade),
  };
}

/** A request decided on its headers needs no body here; an upgraded connection has none that ends. */
function bodyModesFor({ phase, endOfStream, requestBodyMode }: Message, upgrade: boolean) {
  if (upgrade) return { bodyModes: { request: bodyMode.none, response: bodyMode.none } };
  if (phase !== "requestHeaders" || endOfStream || requestBodyMode === bodyMode.none) return {};
  if (requestBodyMode === bodyMode.fullDuplex || requestBodyMode === bodyMode.grpc) return {};
  return { bodyModes: { request: bodyMode.none, response: bodyMode.streamed } };
}
