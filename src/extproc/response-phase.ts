import type { Outcome, Peer } from "../outcome.ts";
import type { Trace } from "../telemetry/trace.ts";
import { causeOf, flagsOf, isLocalReply } from "./cause.ts";
import { bodyMode, type Message } from "./decode.ts";
import type { HeaderMutation } from "./encode.ts";
import type { Exchange } from "./exchange.ts";
import { proceed } from "./forwarding.ts";
import { type Headers, names } from "./headers.ts";
import type { Story } from "./story.ts";

type Forward = Outcome & { kind: "forward" };

/**
 * Listens to the rest of an exchange without holding it: response headers get the router's own, everything else passes
 * as it is. Returns when Envoy has ended the stream; then `story` and the upstream span say how it ended.
 * @param pending a message that was taken already and still needs its answer.
 * @param bodies whether Envoy sends response bodies; default: as it said at the start.
 */
export async function overhear(
  { envoy, opening, at, story }: Exchange,
  forward: Forward | undefined,
  {
    pending,
    bodies = opening.responseBodyMode !== bodyMode.none,
  }: { pending?: Message; bodies?: boolean } = {},
): Promise<void> {
  let answered = false;
  let complete = false;
  let streamed = false;
  story.upstream = forward?.upstream;
  story.shown = bodies;
  for (let message = pending ?? (await envoy.next()); message; message = await envoy.next()) {
    if (message.phase === "responseHeaders") {
      answered = true;
      story.status = Number(message.headers.get(names.status));
      envoy.answer(proceed(message, responseHeaders(message.headers, story.status, forward)));
      noteResponse(forward, at, message, story);
    } else {
      envoy.answer(proceed(message));
      streamed ||= message.phase === "responseBody";
      if (message.phase === "responseBody") forward?.upstream.chunk(message.body, message.atMs);
    }
    if (endsResponse(message)) {
      complete = true;
      forward?.upstream.end(true);
    }
  }
  // Without response bodies the stream's end is the response's end, whole or cut: only the access log tells which.
  if (!complete && answered && !bodies && !streamed) {
    complete = true;
    forward?.upstream.end(true);
  }
  forward?.upstream.end(false);
  if (complete) {
    if (story.ending === "forwarded" || story.ending === "passthrough") story.reason = undefined;
  } else if (forward) {
    story.ending = "aborted";
    story.reason = answered ? "ended_mid_response" : "ended_before_response";
  }
}

function noteResponse(
  forward: Forward | undefined,
  at: Trace,
  { headers, attributes }: Message,
  story: Story,
): void {
  if (!at.recording && !forward) return;
  const status = story.status ?? 0;
  const details = attributes.get("response.code_details");
  if (details !== undefined) {
    story.words = {
      details: String(details),
      flags: flagsOf(Number(attributes.get("response.flags") ?? 0)),
    };
  }
  story.peer = peerOf(attributes.get("upstream.address"));
  story.attempts = Number(attributes.get("upstream.request_attempt_count") ?? 0);
  const fromEnvoy = isLocalReply(story.words?.details);
  forward?.upstream.responseHeaders({
    status,
    contentType: headers.get(names.contentType),
    contentEncoding: headers.get(names.contentEncoding),
    codeDetails: story.words?.details,
    fromEnvoy,
  });
  if (!forward) return;
  if (status >= 400) at.root.set("error.type", String(status)).fail(`HTTP ${status}`);
  // Envoy answered in upstream's place: it could not be reached, or not in time.
  if (status >= 500 && fromEnvoy) {
    story.ending = "failed";
    story.reason = (story.words && causeOf(story.words)) ?? story.words?.details;
  }
}

/** `host:port` as the attribute has it, an IPv6 address in brackets; or the path of a pipe. */
function peerOf(address: string | number | undefined): Peer | undefined {
  if (typeof address !== "string" || address === "") return undefined;
  const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(address) ?? [];
  return host === undefined ? { address } : { address: host, port: Number(port) };
}

/** The router's own headers on what it routed and upstream answered; upstream's of the same names never pass. */
function responseHeaders(headers: Headers, status: number, forward: Forward | undefined): HeaderMutation {
  const remove = headers.reserved();
  if (!forward?.selection || status < 200 || status > 299) return { remove };
  const { model, category, reasoning, systemPromptInjected } = forward.selection;
  return {
    remove,
    set: [
      ...(category ? [[names.selectedCategory, category] as const] : []),
      [names.selectedReasoning, reasoning ? "on" : "off"],
      [names.vsrSelectedModel, model],
      [names.injectedSystemPrompt, String(systemPromptInjected)],
    ],
  };
}

function endsResponse({ phase, endOfStream }: Message): boolean {
  if (phase === "responseTrailers") return true;
  return endOfStream && (phase === "responseHeaders" || phase === "responseBody");
}
