import { Worker } from "node:worker_threads";
import { EncodeError } from "./encode.ts";
import type { Pending } from "./pool.ts";
import type { Job, Reply, WorkerData } from "./worker.ts";

/** One worker thread and the jobs it has. */
export interface Hand {
  /** How many more jobs it takes. */
  readonly room: number;
  give(pending: Pending): void;
  /** Tells the thread that nobody waits for this job any more. */
  cancel(id: number): void;
  /** Ends the thread; its jobs are rejected with `reason`, or `worker_died`. */
  end(reason?: EncodeError): Promise<void>;
}

// A second job waits at the thread, so that it does not idle while an answer travels.
const SLOTS = 2;
// A cancelled job ends within milliseconds; a thread that still has it after this long hangs and is replaced.
const STUCK_MS = 10_000;
const LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 };
const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/**
 * Starts a thread and waits until its model is loaded; rejects when that fails.
 * `freed` is called after each answer, `gone` once when a started thread has ended, for whatever reason.
 */
export function startHand(
  data: Omit<WorkerData, "cancelled">,
  freed: () => void,
  gone: () => void,
): Promise<Hand> {
  const cancelled = new Int32Array(new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT));
  const worker = new Worker(new URL(`./worker${EXTENSION}`, import.meta.url), {
    workerData: { ...data, cancelled } satisfies WorkerData,
    resourceLimits: LIMITS,
  });
  const slots = new Array<Pending | undefined>(SLOTS).fill(undefined);
  let reason = new EncodeError("worker_died", "the encoding thread ended");

  const hand: Hand = {
    get room() {
      return slots.filter((job) => job === undefined).length;
    },
    give(pending) {
      const slot = slots.indexOf(undefined);
      slots[slot] = pending;
      const { id, texts, wants } = pending;
      worker.postMessage({ id, slot, texts, wants } satisfies Job);
    },
    cancel(id) {
      const slot = slots.findIndex((job) => job?.id === id);
      if (slot < 0) return;
      Atomics.store(cancelled, slot, id);
      setTimeout(() => {
        if (slots[slot]?.id === id) worker.terminate().catch(() => {});
      }, STUCK_MS).unref();
    },
    async end(why) {
      if (why) reason = why;
      await worker.terminate();
    },
  };

  return new Promise((resolve, reject) => {
    let ready = false;
    let failure = "the thread ended";
    worker.on("message", (reply: Reply) => {
      if (reply.id === 0) {
        if ("failure" in reply) {
          failure = reply.failure;
          worker.terminate().catch(() => {});
          return;
        }
        ready = true;
        resolve(hand);
        return;
      }
      const slot = slots.findIndex((job) => job?.id === reply.id);
      const pending = slots[slot];
      slots[slot] = undefined;
      if (pending) pending.settle("failure" in reply ? failed(reply.failure) : reply.encodings);
      freed();
    });
    worker.on("error", (error) => {
      failure = error.message;
    });
    worker.on("exit", () => {
      if (!ready) return reject(new Error(`model file ${data.onnxPath} cannot be loaded: ${failure}`));
      for (const pending of slots.splice(0)) pending?.settle(reason);
      gone();
    });
  });
}

const failed = (kind: string): EncodeError => new EncodeError("failed", `encoding failed (${kind})`);
