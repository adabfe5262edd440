import type { Outcome } from "../outcome.ts";
import type { Trace } from "../telemetry/trace.ts";
import { formatTraceparent } from "../telemetry/w3c.ts";
import { bodyMode, type Message } from "./decode.ts";
import type { Answer, HeaderMutation, Proceed } from "./encode.ts";
import { names } from "./headers.ts";
import type { Service } from "./service.ts";

/** "Carry on" in answer to a message; to one of an unknown kind nothing can be said. */
export function* proceedPlain(
  message: Message,
  changes: HeaderMutation = {},
): Generator<Proceed, void, undefined> {
  if (message.phase) yield { kind: "proceed", phase: message.phase, ...changes };
}

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

interface Forwarding {
  readonly outcome: Outcome & { kind: "forward" };
  readonly at: Trace;
  readonly opening: Message;
  /** The message the verdict answers: the headers, or the body. */
  readonly verdictOn: Message;
  readonly requestId: string;
  readonly service: Service;
  readonly upgrade: boolean;
}

/** The forward verdict: where it goes, as what, under which trace, and the body if it changed. */
export function forwardMutation(forwarding: Forwarding): Answer {
  const { outcome, at, opening, verdictOn, requestId, service, upgrade } = forwarding;
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
