import type { OtlpSettings } from "../settings.ts";
import { backoffMs } from "./backoff.ts";
import { gate as makeGate } from "./gate.ts";
import type { Piece, Settled } from "./messages.ts";
import { accepted, givenUp } from "./settled.ts";
import { type Answer, type Failure, failure, type Transport } from "./transport.ts";

const mostUnderWay = 8;
/** Before compression. Collectors refuse gRPC messages of more than 4 MiB unless told otherwise. */
const mostBytes = 2 * 1024 * 1024;
/** What the main thread has let finished exchanges wait for already, at most. */
export const handOverMs = 50;

export interface Outbox {
  add(piece: Piece): void;
  /** Sends what is there at once; no retry is waited for that would come later than in so many milliseconds. */
  shutdown(withinMs: number): void;
  /** Sends nothing more, waits for the requests under way, and gives back every piece that was not taken. */
  release(): Promise<readonly Piece[]>;
}

/** The pieces of one request, for all its attempts. */
interface Batch {
  readonly pieces: readonly Piece[];
  request: Buffer | undefined;
  attempts: number;
  /** Pieces are gathered when they can be sent, so it counts from the first attempt. */
  readonly deadline: number;
  /** Of one asleep: when its next attempt is. */
  at: number;
  last: Failure;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Gathers pieces into requests and sees each through its attempts, eight requests under way at most.
 * @param settle told once for each piece that is not given back.
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
  const gate = makeGate();
  const waiting: { readonly piece: Piece; readonly dueAt: number }[] = [];
  /** To be tried again as soon as the gate lets them. */
  const due: Batch[] = [];
  /** To be tried again at a time of their own: what went wrong says nothing about other requests. */
  const asleep = new Set<Batch>();
  let spansWaiting = 0;
  let bytesWaiting = 0;
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;
  let endsAt = Number.POSITIVE_INFINITY;
  let giveBack: ((pieces: readonly Piece[]) => void) | undefined;

  function pump(): void {
    clearTimeout(timer);
    if (giveBack) {
      takeBack();
      return;
    }
    giveUpLate();
    while (underWay < mostUnderWay && gate.opensAt <= performance.now()) {
      const batch = due.shift() ?? gather();
      if (batch === undefined) break;
      underWay += 1;
      run(batch).then(() => {
        underWay -= 1;
        pump();
      }, rethrow);
    }
    const next = due.length > 0 ? 0 : (waiting[0]?.dueAt ?? Number.POSITIVE_INFINITY);
    const at = Math.max(next, gate.opensAt);
    if (underWay < mostUnderWay && at < Number.POSITIVE_INFINITY) {
      timer = setTimeout(pump, Math.max(1, at - performance.now() + 0.5));
    }
  }

  /** What the gate would let through too late. */
  function giveUpLate(): void {
    const { opensAt } = gate;
    if (opensAt === Number.POSITIVE_INFINITY) return;
    for (const batch of due.splice(0)) {
      const late = Math.max(opensAt, performance.now()) >= Math.min(batch.deadline, endsAt);
      if (late) giveUp(batch, batch.last);
      else due.push(batch);
    }
    if (opensAt < endsAt) return;
    // The end is near: what has never been sent waits only for what the collector asked for.
    gate.hurry();
    if (gate.opensAt < endsAt) return;
    for (let batch = gather(); batch; batch = gather()) giveUp(batch, gate.why ?? unsent);
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
    return { pieces, request: undefined, attempts: 0, deadline, at: 0, last: unsent, timer: undefined };
  }

  async function run(batch: Batch): Promise<void> {
    const decides = gate.enter();
    const answer = await attempt(batch);
    if (answer.accepted) {
      if (decides) gate.open();
      settle(accepted(batch.pieces, answer, endpoint));
      return;
    }
    batch.last = answer;
    const waitMs = backoffMs(batch.attempts, retry, answer.waitMs, random);
    const forAll = answer.reason === "unavailable" || answer.waitMs !== undefined || decides;
    if (answer.retryable && forAll) gate.shut(waitMs, answer, decides);
    else if (decides) gate.open();
    // What this exporter failed to send may be what the next one is configured for.
    if (giveBack) due.push(batch);
    else if (!answer.retryable || batch.attempts >= retry.maxAttempts) giveUp(batch, answer);
    else tryAgain(batch, waitMs, forAll);
  }

  async function attempt(batch: Batch): Promise<Answer> {
    batch.request ??= await transport.pack(batch.pieces.map(({ bytes }) => bytes));
    batch.attempts += 1;
    const answer = await send(batch.request, batch.deadline);
    return !answer.accepted && answer.stale ? send(batch.request, batch.deadline) : answer;
  }

  const giveUp = ({ pieces, attempts }: Batch, why: Failure): void =>
    settle(givenUp(pieces, why, attempts, endpoint));

  const send = (request: Buffer, deadline: number): Promise<Answer> =>
    transport.send(request, Math.ceil(Math.max(1, Math.min(timeoutMs, deadline - performance.now()))));

  function tryAgain(batch: Batch, waitMs: number, atGate: boolean): void {
    batch.at = performance.now() + waitMs;
    if (batch.at >= Math.min(batch.deadline, endsAt)) {
      giveUp(batch, batch.last);
      return;
    }
    if (atGate) {
      due.push(batch);
      return;
    }
    asleep.add(batch);
    batch.timer = setTimeout(() => {
      asleep.delete(batch);
      due.push(batch);
      pump();
    }, waitMs);
  }

  function takeBack(): void {
    if (underWay > 0) return;
    for (const batch of asleep) clearTimeout(batch.timer);
    const tried = [...due.splice(0), ...asleep].flatMap(({ pieces }) => pieces);
    asleep.clear();
    giveBack?.([...tried, ...waiting.splice(0).map(({ piece }) => piece)]);
    giveBack = undefined;
    spansWaiting = 0;
    bytesWaiting = 0;
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
        if (batch.at < endsAt) continue;
        clearTimeout(batch.timer);
        asleep.delete(batch);
        giveUp(batch, batch.last);
      }
      pump();
    },
    release: () =>
      new Promise((resolve) => {
        giveBack = resolve;
        pump();
      }),
  };
}

const unsent = failure("shutdown", "not sent", false);

/** A fault of our own ends the thread, which tells and starts anew. */
function rethrow(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}
