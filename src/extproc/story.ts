import type { Peer, Upstream } from "../outcome.ts";
import type { Trace } from "../telemetry/trace.ts";
import type { LogEntry } from "./access-log.ts";
import { causeOf, isLocalReply, type Words } from "./cause.ts";

/** How an exchange ended, as the root's `outcome` tells it. */
export type Ending =
  | "forwarded"
  | "passthrough"
  | "cache_hit"
  | "blocked"
  | "rejected"
  | "aborted"
  | "failed";

/** How the exchange went, as far as the stream tells. Written as the script goes; read once, at its end. */
export interface Story {
  ending: Ending;
  reason?: string | undefined;
  status?: number | undefined;
  /** Envoy's words with the response headers. */
  words?: Words | undefined;
  /** Cut by the processor itself, which knows why better than anybody. */
  cutBy?: "shutdown" | undefined;
  upstream?: Upstream | undefined;
  peer?: Peer | undefined;
  attempts?: number | undefined;
}

/** Where Envoy and the processor disagree by more, their clocks do; then only durations are taken over. */
const earliestStartMs = 5000;
const latestStartMs = 5;

/**
 * Writes the end of an exchange into its root and its upstream span: what the stream saw, and, where Envoy's access log
 * tells, the cause and the times as Envoy has them.
 */
export function conclude(at: Trace, story: Story, entry: LogEntry | undefined): void {
  const words = entry ?? story.words;
  const cause = story.cutBy ?? (words && causeOf(words));
  if (entry && entry.status > 0) story.status = entry.status;
  decide(story, cause, words, entry);

  const { root } = at;
  const failed = story.ending === "aborted" || story.ending === "failed";
  if (failed) root.set("error.type", story.reason).fail(story.reason ?? story.ending);
  root
    .set("http.response.status_code", story.status)
    .set("outcome", story.ending)
    .set("outcome.reason", story.reason)
    .set("response.code_details", words?.details || undefined)
    .set("response.flags", words && words.flags.length > 0 ? words.flags.join(",") : undefined);
  closeSpans(at, story, entry, failed);
}

/** What the cause makes of the story. */
function decide(
  story: Story,
  cause: string | undefined,
  words: Words | undefined,
  entry: LogEntry | undefined,
): void {
  const { ending, upstream } = story;
  if (story.cutBy) {
    story.ending = "aborted";
    story.reason = cause;
    return;
  }
  if (ending === "aborted") {
    // A client that leaves after the last frame has got its answer.
    if (upstream?.answered && (cause === undefined || cause === "client_disconnect")) {
      story.ending = "forwarded";
      story.reason = cause;
    } else if (story.status !== undefined && story.status >= 400 && isLocalReply(words?.details)) {
      story.ending = story.status < 500 ? "rejected" : "failed";
      story.reason = cause ?? words?.details;
    } else story.reason = cause ?? story.reason;
    return;
  }
  if (ending === "failed" || ending === "rejected") {
    // Ours know their reason; Envoy's own answers are told by what Envoy says.
    if (isLocalReply(words?.details)) story.reason = cause ?? story.reason;
    return;
  }
  if (ending !== "forwarded" && ending !== "passthrough") return;
  if (cause === undefined) return;
  story.reason = cause;
  if (isLocalReply(words?.details) && (story.status ?? 0) >= 500) story.ending = "failed";
  // Whole for the stream, and yet the client has not got all of it.
  else if (entry && !(cause === "client_disconnect" && upstream?.answered)) story.ending = "aborted";
}

function closeSpans(at: Trace, story: Story, entry: LogEntry | undefined, failed: boolean): void {
  const { root } = at;
  const startMs = entry && startOnOurClock(at, entry);
  const endMs = entry && startMs !== undefined ? startMs + entry.durationMs : undefined;
  const { upstream } = story;
  if (upstream) {
    const whole = !failed && entry?.upstreamEndMs !== undefined && startMs !== undefined;
    upstream.close({
      reason: failed ? story.reason : undefined,
      atMs: whole ? Math.min(startMs + (entry.upstreamEndMs ?? 0), endMs ?? Infinity) : endMs,
      peer: entry?.peer ?? story.peer,
      attempts: entry?.attempts || story.attempts,
    });
  }
  root.end();
  if (endMs !== undefined) root.endedAt(endMs);
  // Nothing ends after its root, whatever the clocks say.
  for (const child of at.children) if (child.endMs > root.endMs) root.endMs = child.endMs;
}

/** When Envoy began, on the clock of the spans. */
function startOnOurClock(at: Trace, entry: LogEntry): number {
  const startMs = entry.startMs - at.epochOffsetMs;
  const early = at.root.startMs - startMs;
  return early > earliestStartMs || early < -latestStartMs ? at.root.startMs : startMs;
}
