import { EncodeError, type Encoding, type Wants } from "./encode.ts";
import { type Hand, startHand } from "./hand.ts";
import type { WorkerData } from "./worker.ts";

export interface PoolOptions {
  readonly workers: number;
  /** Milliseconds from the call until `deadline`, waiting included. */
  readonly deadlineMs: number;
  /** Jobs that may wait; one more is refused with `overloaded`. */
  readonly queueLimit: number;
}

/** One call that has not been answered. */
export interface Pending {
  readonly id: number;
  readonly texts: readonly string[];
  readonly wants: Wants;
  settle(outcome: readonly Encoding[] | Error): void;
}

export interface Pool {
  /** `limitMs` replaces the pool's deadline. */
  submit(
    texts: readonly string[],
    wants: Wants,
    signal: AbortSignal,
    limitMs?: number,
  ): Promise<readonly Encoding[]>;
  /** Ends the thread of one worker as a crash would. For tests. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

const MAX_ID = 0x7fffffff;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5000;

/** Starts all workers. Rejects with the reason when one cannot load the model. */
export async function startPool(
  data: Omit<WorkerData, "cancelled">,
  { workers, deadlineMs, queueLimit }: PoolOptions,
): Promise<Pool> {
  const queue: Pending[] = [];
  const hands = new Set<Hand>();
  const retries = new Set<NodeJS.Timeout>();
  let closed = false;
  let lastId = 0;

  const pump = (): void => {
    while (queue.length > 0) {
      let free: Hand | undefined;
      for (const hand of hands) if (hand.room > (free?.room ?? 0)) free = hand;
      if (!free) return;
      free.give(queue.shift() as Pending);
    }
  };

  async function hire(): Promise<void> {
    const hand = await startHand(data, pump, () => {
      hands.delete(hand);
      if (!closed) rehire(FIRST_RETRY_MS);
    });
    if (closed) return hand.end();
    hands.add(hand);
    pump();
  }

  function rehire(delay: number): void {
    const timer = setTimeout(() => {
      retries.delete(timer);
      hire().catch(() => {
        if (!closed) rehire(Math.min(delay * 2, LAST_RETRY_MS));
      });
    }, delay);
    retries.add(timer);
  }

  function submit(
    texts: readonly string[],
    wants: Wants,
    signal: AbortSignal,
    limitMs = deadlineMs,
  ): Promise<readonly Encoding[]> {
    return new Promise((resolve, reject) => {
      if (closed) return reject(new EncodeError("closed", "the encoder is closed"));
      if (signal.aborted) return reject(signal.reason);
      let done = false;
      const finish = (answer: () => void): void => {
        if (done) return;
        done = true;
        clearTimeout(timer);
        signal.removeEventListener("abort", aborted);
        answer();
      };
      const settle = (outcome: readonly Encoding[] | Error): void =>
        finish(() => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
      const drop = (reason: unknown): void => {
        const place = queue.indexOf(pending);
        if (place >= 0) queue.splice(place, 1);
        else for (const hand of hands) hand.cancel(pending.id);
        finish(() => reject(reason));
      };
      lastId = lastId === MAX_ID ? 1 : lastId + 1;
      const pending: Pending = { id: lastId, texts, wants, settle };
      const aborted = (): void => drop(signal.reason);
      const late = (): void => drop(new EncodeError("deadline", `no encoding within ${limitMs} ms`));
      const timer = setTimeout(late, limitMs);
      signal.addEventListener("abort", aborted, { once: true });
      queue.push(pending);
      pump();
      if (queue.length > queueLimit)
        drop(new EncodeError("overloaded", `${queueLimit} encodings are waiting`));
    });
  }

  async function close(): Promise<void> {
    closed = true;
    for (const timer of retries) clearTimeout(timer);
    const gone = new EncodeError("closed", "the encoder is closed");
    for (const pending of queue.splice(0)) pending.settle(gone);
    await Promise.all([...hands].map((hand) => hand.end(gone)));
  }

  async function kill(): Promise<void> {
    for (const hand of hands) return hand.end();
  }

  try {
    await Promise.all(Array.from({ length: workers }, hire));
  } catch (error) {
    await close();
    throw error;
  }
  return { submit, kill, close };
}
