import type { OtlpSettings } from "../settings.ts";
import { backoffMs } from "./backoff.ts";
import type { Piece, Settled } from "./messages.ts";
import { type Accepted, type Failure, failure, type Transport } from "./transport.ts";

const mostUnderWay = 2;
/** Before compression. Collectors refuse gRPC messages of more than 4 MiB unless told otherwise. */
const mostBytes = 2 * 1024 * 1024;
/** What the main thread has let finished exchanges wait for already, at most. */
export const handOverMs = 50;

export interface Outbox {
  add(piece: Piece): void;
  /** Sends what is there at once; no retry is waited for that would come later than in so many milliseconds. */
  shutdown(withinMs: number): void;
}

/** The pieces of one request, for all its attempts. */
interface Batch {
  readonly pieces: readonly Piece[];
  readonly deadline: number;
  request: Buffer | undefined;
  attempts: number;
  last: Failure | undefined;
  wake: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;
}

/**
 * Gathers pieces into requests and sees each through its attempts, two requests under way at most.
 * @param settle told once for each piece.
 * @param random in [0, 1), for the jitter of the waits.
 */
export function outbox(
  transport: Transport,
  { url, protocol, timeoutMs, retry, batch: { maxSpans, delayMs, timeoutMs: batchMs } }: OtlpSettings,
  settle: (settled: Settled) => void,
  random: () => number = Math.random,
): Outbox {
  const { origin, pathname } = new URL(url);
  const endpoint = protocol === "grpc" ? origin : origin + pathname;
  const restMs = delayMs - Math.min(handOverMs, delayMs);
  const waiting: { readonly piece: Piece; readonly dueAt: number }[] = [];
  const due: Batch[] = [];
  const asleep = new Set<Batch>();
  let spansWaiting = 0;
  let bytesWaiting = 0;
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;
  let endsAt = Number.POSITIVE_INFINITY;

  function pump(): void {
    clearTimeout(timer);
    timer = undefined;
    while (underWay < mostUnderWay) {
      const batch = due.shift() ?? gather();
      if (batch === undefined) break;
      underWay += 1;
      run(batch).then(() => {
        underWay -= 1;
        pump();
      }, rethrow);
    }
    const [oldest] = waiting;
    if (oldest && underWay < mostUnderWay) timer = setTimeout(pump, oldest.dueAt - performance.now() + 0.5);
  }

  function gather(): Batch | undefined {
    const [oldest] = waiting;
    if (oldest === undefined) return undefined;
    const full = spansWaiting >= maxSpans || bytesWaiting >= mostBytes;
    if (!full && oldest.dueAt > performance.now() && endsAt === Number.POSITIVE_INFINITY) return undefined;
    const pieces: Piece[] = [];
    let spans = 0;
    let bytes = 0;
    while (waiting.length > 0) {
      const { piece } = waiting[0]!;
      const tooMuch = spans + piece.spans > maxSpans || bytes + piece.bytes.length > mostBytes;
      if (pieces.length > 0 && tooMuch) break;
      waiting.shift();
      pieces.push(piece);
      spans += piece.spans;
      bytes += piece.bytes.length;
    }
    spansWaiting -= spans;
    bytesWaiting -= bytes;
    const deadline = performance.now() + batchMs;
    return { pieces, deadline, request: undefined, attempts: 0, last: undefined, wake: undefined };
  }

  async function run(batch: Batch): Promise<void> {
    batch.request ??= await transport.pack(batch.pieces.map(({ bytes }) => bytes));
    const answer = await attempt(batch, batch.request);
    if (answer.accepted) return accept(batch, answer);
    batch.last = answer;
    if (!answer.retryable || batch.attempts >= retry.maxAttempts) return giveUp(batch, answer);
    sleep(batch, backoffMs(batch.attempts, retry, answer.waitMs, random), answer);
  }

  async function attempt(batch: Batch, request: Buffer): Promise<Accepted | Failure> {
    batch.attempts += 1;
    for (let again = true; ; again = false) {
      const left = batch.deadline - performance.now();
      if (left <= 0) return batch.last ?? failure("timeout", `not sent within ${batchMs} ms`, false);
      const answer = await transport.send(request, Math.ceil(Math.min(timeoutMs, left)));
      if (answer.accepted || !answer.stale || !again) return answer;
    }
  }

  function sleep(batch: Batch, ms: number, answer: Failure): void {
    const at = performance.now() + ms;
    if (at >= Math.min(batch.deadline, endsAt)) {
      giveUp(batch, answer);
      return;
    }
    const wake = () => {
      asleep.delete(batch);
      due.push(batch);
      pump();
    };
    batch.wake = { at, timer: setTimeout(wake, ms) };
    asleep.add(batch);
  }

  function accept({ pieces }: Batch, { rejected, message }: Accepted): void {
    const ids = pieces.map(({ id }) => id);
    let left = rejected;
    const failed = pieces.map(({ spans }) => {
      const lost = Math.min(left, spans);
      left -= lost;
      return lost;
    });
    const said = message === "" ? "" : `: ${message}`;
    if (rejected > 0) {
      settle({ ids, failed, reason: "rejected", message: `${endpoint}: ${rejected} spans rejected${said}` });
    } else {
      settle({ ids, failed, ...(said && { message: `${endpoint} warns${said}` }) });
    }
  }

  function giveUp({ pieces, attempts }: Batch, { reason, message }: Failure): void {
    const after = attempts > 1 ? ` (${attempts} attempts)` : "";
    settle({
      ids: pieces.map(({ id }) => id),
      failed: pieces.map(({ spans }) => spans),
      reason,
      message: `${endpoint}: ${message}${after}`,
    });
  }

  return {
    add(piece) {
      waiting.push({ piece, dueAt: performance.now() + restMs });
      spansWaiting += piece.spans;
      bytesWaiting += piece.bytes.length;
      pump();
    },
    shutdown(withinMs) {
      endsAt = performance.now() + withinMs;
      for (const batch of asleep) {
        if (batch.wake!.at < endsAt) continue;
        clearTimeout(batch.wake!.timer);
        asleep.delete(batch);
        giveUp(batch, batch.last!);
      }
      pump();
    },
  };
}

/** A fault of our own ends the thread, which tells and starts anew. */
function rethrow(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}
