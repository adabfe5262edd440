import type { Peer, Upstream } from "../outcome.ts";
import { now } from "../telemetry/clock.ts";
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
  /** The answer was the processor's own. */
  ours?: boolean;
  /** Envoy's words with the response headers. */
  words?: Words | undefined;
  /** Whether Envoy shows the answer to its end; where it does not, only the log knows whether it was whole. */
  shown?: boolean;
  /** Cut by the processor itself, which knows why better than anybody. */
  cutBy?: "shutdown" | undefined;
  upstream?: Upstream | undefined;
  peer?: Peer | undefined;
  attempts?: number | undefined;
  /** When the stream's last message came, on the monotonic clock. */
  lastHeardMs?: number;
}

/** Envoy's start and the first message are this close, or their clocks differ: then only durations are taken over. */
const earliestStartMs = 50;
const latestStartMs = 5;
/** What Envoy is done with has been heard of by then. */
const transitMs = 20;

/**
 * Writes the end of an exchange into its root and its upstream span: what the stream saw, and, where Envoy's access log
 * tells, the cause and the times as Envoy has them.
 * @param lost there is no entry, and Envoy's log has gone with the exchange.
 */
export function conclude(at: Trace, story: Story, entry: LogEntry | undefined, lost = false): void {
  decide(story, entry, lost);
  if (entry) story.status = isStatus(entry.status) ? entry.status : undefined;

  const { root } = at;
  const failed = story.ending === "aborted" || story.ending === "failed";
  // Words that came with the response headers say nothing of how it ended, unless Envoy itself answered.
  const words = entry ?? (story.ending === "aborted" ? undefined : story.words);
  if (failed) root.set("error.type", story.reason).fail(story.reason ?? story.ending);
  root
    .set("http.response.status_code", story.status)
    .set("outcome", story.ending)
    .set("outcome.reason", story.reason)
    .set("response.code_details", words?.details || undefined)
    .set("response.flags", words && words.flags.length > 0 ? words.flags.join(",") : undefined);
  closeSpans(at, story, entry, failed);
}

const isStatus = (status: number): boolean => status >= 100 && status <= 599;

/** What the end makes of the story. */
function decide(story: Story, entry: LogEntry | undefined, lost: boolean): void {
  const { ending, upstream } = story;
  if (story.cutBy) {
    story.ending = "aborted";
    story.reason = story.cutBy;
    return;
  }
  // Whoever leaves before our own answer has come does not change what it was.
  if (story.ours) return;
  const words = entry ?? story.words;
  const cause = words && causeOf(words);
  if (ending === "aborted") {
    const answeredByEnvoy = story.words === undefined && entry && isLocalReply(entry.details);
    if (upstream?.answered && (cause === undefined || cause === "client_disconnect")) {
      // A client that leaves after the last frame has got its answer.
      story.ending = "forwarded";
      story.reason = entry && cause;
    } else if (answeredByEnvoy && entry.status >= 400) {
      story.ending = entry.status < 500 ? "rejected" : "failed";
      story.reason = cause ?? entry.details;
    } else if (entry && cause === undefined && isStatus(entry.status) && upstream && !story.shown) {
      story.ending = "forwarded";
      story.reason = undefined;
    } else if (entry) {
      // When a client closes an HTTP/2 connection Envoy says so of one of its streams; of the others it says nothing.
      story.reason = cause ?? "client_disconnect";
    } else if (lost) story.reason = "envoy_gone";
    return;
  }
  if (ending === "failed" || ending === "rejected") {
    // Answered by Envoy: told by what it says.
    if (isLocalReply(words?.details)) story.reason = cause ?? story.reason;
    return;
  }
  if (cause === undefined) return;
  story.reason = cause;
  const local = isLocalReply(story.words?.details ?? entry?.details);
  if (local && (entry?.status ?? story.status ?? 0) >= 500) story.ending = "failed";
  // Whole for the stream, and yet the client has not got all of it.
  else if (entry && !(cause === "client_disconnect" && mayLeave(story))) story.ending = "aborted";
}

/** A client that has its whole answer, or that ends an upgraded connection, leaves as it should. */
const mayLeave = ({ status, shown, upstream }: Story): boolean =>
  status === 101 || (shown === true && upstream?.answered === true);

function closeSpans(at: Trace, story: Story, entry: LogEntry | undefined, failed: boolean): void {
  const { root } = at;
  const heardMs = story.lastHeardMs ?? 0;
  const end = entry && endsOf(at, entry, heardMs);
  const { upstream } = story;
  if (upstream) {
    upstream.close({
      reason: failed ? story.reason : undefined,
      atMs: (failed ? undefined : end?.upstreamMs) ?? end?.rootMs,
      peer: entry?.peer ?? story.peer,
      attempts: entry?.attempts || story.attempts,
    });
  }
  root.end();
  if (end) root.endedAt(end.rootMs);
  // Nothing ends after its root, whatever the clocks say.
  for (const child of at.children) if (child.endMs > root.endMs) root.endMs = child.endMs;
}

/** Envoy's ends of exchange and answer, on the clock of the spans: never before what was heard, never in the future. */
function endsOf(
  at: Trace,
  { startUs, durationMs, upstreamEndMs }: LogEntry,
  heardMs: number,
): { rootMs: number; upstreamMs: number | undefined } {
  const nowMs = now();
  const absoluteMs = startUs / 1000 - at.epochOffsetMs;
  const early = at.root.startMs - absoluteMs;
  const ours = early <= earliestStartMs && early >= -latestStartMs;
  const startMs = ours ? absoluteMs : at.root.startMs;
  const rootMs = Math.min(Math.max(startMs + durationMs, heardMs), nowMs);
  if (upstreamEndMs === undefined) return { rootMs, upstreamMs: undefined };
  const upstreamMs = startMs + upstreamEndMs;
  // Far from what was heard: of another clock.
  return { rootMs, upstreamMs: Math.min(upstreamMs < heardMs - transitMs ? heardMs : upstreamMs, rootMs) };
}
