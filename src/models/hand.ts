import "./silent.ts";
import { Worker } from "node:worker_threads";
import { EncodeError } from "./encode.ts";
import { openGate } from "./gate.ts";
import type { Pending } from "./pool.ts";
import type { End, Job, Reply, Served, WorkerData } from "./worker.ts";

/** One worker thread and the jobs it has. */
export interface Hand {
  /** Size of the jobs it has. */
  readonly load: number;
  /** Whether it has room for a job of this band and size. */
  takes(pending: Pending): boolean;
  give(pending: Pending): void;
  /** Tells the thread that nobody waits for this job any more. */
  cancel(id: number): void;
  /** Ends the thread; its jobs are rejected with `reason`, or `worker_died`. */
  end(reason?: EncodeError): Promise<void>;
}

/** Jobs are banded by size, each band twice the one before: those of one band wait for each other, small ones pass large ones. */
export const BANDS = 16;
/** UTF-16 units up to which a job is of the lowest band: a window or two. */
const SMALL = 512;
export const bandOf = (size: number): number =>
  Math.min(BANDS - 1, Math.max(0, Math.ceil(Math.log2(size / SMALL))));

// A second job waits at the thread, so that it does not idle while an answer travels.
const SLOTS_PER_BAND = 2;
const SLOTS = BANDS * SLOTS_PER_BAND;
/** Bands whose jobs always find room, for all their places together hold 2 Mi units at most. */
const SMALL_BANDS = 11;
/** UTF-16 units of larger jobs at one thread; beyond it a thread takes such a job only while it has no other. */
const MOST_LOAD = 16 << 20;
/** UTF-16 units of one job, at most. Of two bytes each these fill a third of a thread's memory. */
export const MOST_SIZE = 32 << 20;
// A cancelled job ends within milliseconds; a thread that still has it after this long hangs and is replaced. No other
// thread is ever terminated from outside: in the middle of a window that would end the whole process.
const STUCK_MS = 10_000;
/** One pass of a large model of the operator's own may take many seconds. */
const STUCK_WITH_OWN_MS = 60_000;
const LIMITS = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 8 };
// The vocabulary of a large multilingual tokenizer takes some 70 MB, and each task may have one.
const LIMITS_WITH_OWN = { ...LIMITS, maxOldGenerationSizeMb: 512 };
const END: End = "end";
const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/**
 * Starts a thread and waits until its models are loaded; rejects when that fails.
 * `freed` is called after each answer, `gone` once when a started thread has ended, for whatever reason.
 */
export function startHand(
  data: Omit<WorkerData, "gate" | "cancelled">,
  freed: () => void,
  gone: () => void,
): Promise<{ readonly hand: Hand; readonly served: Served }> {
  const cancelled = new Int32Array(new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT));
  const { gate, done } = openGate();
  const worker = new Worker(new URL(`./worker${EXTENSION}`, import.meta.url), {
    workerData: { ...data, gate, cancelled } satisfies WorkerData,
    resourceLimits: data.own.length > 0 ? LIMITS_WITH_OWN : LIMITS,
  });
  const stuckMs = data.own.length > 0 ? STUCK_WITH_OWN_MS : STUCK_MS;
  const slots = new Array<Pending | undefined>(SLOTS).fill(undefined);
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  let load = 0;
  /** Of `load`, what the bands have that are not always taken. */
  let large = 0;
  let reason = new EncodeError("worker_died", "the encoding thread ended");

  const slotFor = ({ size }: Pending): number => {
    const first = bandOf(size) * SLOTS_PER_BAND;
    const place = slots.slice(first, first + SLOTS_PER_BAND).indexOf(undefined);
    return place < 0 ? place : first + place;
  };

  const isLarge = ({ size }: Pending): boolean => bandOf(size) >= SMALL_BANDS;
  const count = (pending: Pending, sign: 1 | -1): void => {
    load += sign * pending.size;
    if (isLarge(pending)) large += sign * pending.size;
  };

  const hand: Hand = {
    get load() {
      return load;
    },
    takes: (pending) =>
      slotFor(pending) >= 0 && (!isLarge(pending) || large === 0 || large + pending.size <= MOST_LOAD),
    give(pending) {
      const slot = slotFor(pending);
      slots[slot] = pending;
      count(pending, 1);
      const { id, reading, wants } = pending;
      worker.postMessage({ id, slot, reading, wants } satisfies Job);
    },
    cancel(id) {
      const slot = slots.findIndex((job) => job?.id === id);
      if (slot < 0) return;
      Atomics.store(cancelled, slot, id);
      setTimeout(() => {
        if (slots[slot]?.id === id) worker.terminate().catch(() => {});
      }, stuckMs).unref();
    },
    async end(why) {
      if (why) reason = why;
      worker.postMessage(END);
      const stuck = setTimeout(() => worker.terminate().catch(() => {}), stuckMs);
      await ended;
      clearTimeout(stuck);
    },
  };

  return new Promise((resolve, reject) => {
    let ready = false;
    let failure = "the encoding thread ended while it loaded its model";
    worker.on("message", (reply: Reply) => {
      if ("ready" in reply) {
        ready = true;
        resolve({ hand, served: reply.ready });
        return;
      }
      if (reply.id === 0) {
        if ("failure" in reply) failure = reply.failure;
        return;
      }
      const slot = slots.findIndex((job) => job?.id === reply.id);
      const pending = slots[slot];
      if (pending) {
        slots[slot] = undefined;
        count(pending, -1);
        pending.settle("failure" in reply ? failed(reply.failure) : reply.encoding);
      }
      freed();
    });
    worker.on("error", (error) => {
      failure = error.message;
    });
    worker.on("exit", () => {
      done();
      if (!ready) return reject(new Error(failure));
      for (const pending of slots.splice(0)) pending?.settle(reason);
      gone();
    });
  });
}

const failed = (kind: string): EncodeError => new EncodeError("failed", `encoding failed (${kind})`);
