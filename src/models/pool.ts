import { isDeepStrictEqual } from "node:util";
import { EncodeError, type Encoding, type Reading, sizeOf, type Wants } from "./encode.ts";
import { type Hand, MOST_SIZE, startHand } from "./hand.ts";
import { type Patience, patienceFor } from "./patience.ts";
import { WaitingRoom } from "./waiting.ts";
import type { Served, WorkerData } from "./worker.ts";

/** What one call is given. */
export interface CallLimits {
  readonly patience: Patience;
  /** Jobs that may wait; one more is refused with `overloaded`. */
  readonly queueLimit: number;
}

export interface PoolOptions {
  readonly workers: number;
  /** Told why a thread that was to join or to be replaced serves nothing; the same reason once. It is tried again. */
  readonly warn: (message: string) => void;
}

/** One call that has not been answered. */
export interface Pending {
  readonly id: number;
  readonly reading: Reading;
  /** UTF-16 units of the reading, and some for each of its texts. */
  readonly size: number;
  readonly wants: Wants;
  settle(outcome: Encoding | Error): void;
}

export interface Pool {
  /** What is fixed about the models, of all workers alike. */
  readonly served: Served;
  /** That are there to answer. */
  readonly threads: number;
  submit(reading: Reading, wants: Wants, signal: AbortSignal, limits: CallLimits): Promise<Encoding>;
  /** Starts the other workers; they join when they are ready. */
  grow(): void;
  /** Ends the thread of one worker as a crash would. For tests. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

const MAX_ID = 0x7fffffff;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5000;
/** Of texts that wait, at two bytes for each UTF-16 unit; one more is refused with `overloaded`. */
const MOST_BYTES = 64 << 20;
/** UTF-16 units that a text takes beside its own: the least of its memory at a thread. */
const UNITS_PER_TEXT = 32;

/** Starts the first worker. Rejects with the reason when it cannot load the model. */
export async function startPool(
  data: Omit<WorkerData, "gate" | "cancelled">,
  { workers, warn }: PoolOptions,
): Promise<Pool> {
  const waiting = new WaitingRoom();
  const hands = new Set<Hand>();
  const hiring = new Set<Promise<void>>();
  const retries = new Set<NodeJS.Timeout>();
  let closed = false;
  let lastId = 0;
  let fixed: Served | undefined;
  let told: string | undefined;

  const pump = (): void => waiting.offer(take);
  function take(pending: Pending): boolean {
    let free: Hand | undefined;
    for (const hand of hands) if (hand.takes(pending) && hand.load < (free?.load ?? Infinity)) free = hand;
    free?.give(pending);
    return free !== undefined;
  }

  async function begin(): Promise<void> {
    const { hand, served } = await startHand(data, pump, () => {
      if (hands.delete(hand) && !closed) rehire(FIRST_RETRY_MS);
    });
    if (closed) return hand.end();
    fixed ??= served;
    if (!isDeepStrictEqual(served, fixed)) {
      // Its labels would be taken for others, its embeddings compared with those of another model.
      await hand.end();
      throw new Error("the model files are not those of the start any more");
    }
    told = undefined;
    hands.add(hand);
    pump();
  }

  function hire(): Promise<void> {
    const starting = begin().finally(() => hiring.delete(starting));
    hiring.add(starting);
    return starting;
  }

  function rehire(delay: number): void {
    const timer = setTimeout(() => {
      retries.delete(timer);
      hire().catch((error: Error) => again(error, Math.min(delay * 2, LAST_RETRY_MS)));
    }, delay);
    retries.add(timer);
  }

  function again({ message }: Error, delay: number): void {
    if (closed) return;
    if (message !== told) warn(`an encoding thread serves nothing, and is tried again: ${message}`);
    told = message;
    rehire(delay);
  }

  function grow(): void {
    for (let i = 1; i < workers; i++) hire().catch((error: Error) => again(error, FIRST_RETRY_MS));
  }

  function submit(
    reading: Reading,
    wants: Wants,
    signal: AbortSignal,
    { patience, queueLimit }: CallLimits,
  ): Promise<Encoding> {
    const limitMs = patienceFor(patience, sizeOf(reading));
    return new Promise((resolve, reject) => {
      if (closed) return reject(new EncodeError("closed", "the encoder is closed"));
      if (signal.aborted) return reject(signal.reason);
      const size = sizeOf(reading) + UNITS_PER_TEXT * reading.texts.length;
      if (size > MOST_SIZE)
        return reject(new EncodeError("overloaded", `more than ${MOST_SIZE} characters are not read`));
      let done = false;
      const finish = (answer: () => void): void => {
        if (done) return;
        done = true;
        clearTimeout(timer);
        signal.removeEventListener("abort", aborted);
        answer();
      };
      const settle = (outcome: Encoding | Error): void =>
        finish(() => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
      const drop = (reason: unknown): void => {
        if (!waiting.remove(pending)) for (const hand of hands) hand.cancel(pending.id);
        finish(() => reject(reason));
      };
      lastId = lastId === MAX_ID ? 1 : lastId + 1;
      const pending: Pending = { id: lastId, reading, size, wants, settle };
      const aborted = (): void => drop(signal.reason);
      const late = (): void => drop(new EncodeError("deadline", `no encoding within ${limitMs} ms`));
      const timer = setTimeout(late, limitMs);
      signal.addEventListener("abort", aborted, { once: true });
      waiting.add(pending);
      pump();
      if (waiting.count > queueLimit)
        drop(new EncodeError("overloaded", `${queueLimit} encodings are waiting`));
      else if (waiting.bytes > MOST_BYTES)
        drop(new EncodeError("overloaded", `texts of ${MOST_BYTES} bytes are waiting`));
    });
  }

  async function close(): Promise<void> {
    closed = true;
    for (const timer of retries) clearTimeout(timer);
    const gone = new EncodeError("closed", "the encoder is closed");
    for (const pending of waiting.takeAll()) pending.settle(gone);
    await Promise.allSettled([...[...hands].map((hand) => hand.end(gone)), ...hiring]);
  }

  async function kill(): Promise<void> {
    for (const hand of hands) return hand.end();
  }

  try {
    await hire();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    served: fixed!,
    get threads() {
      return hands.size;
    },
    submit,
    grow,
    kill,
    close,
  };
}
