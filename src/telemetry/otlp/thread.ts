import { type Transferable, Worker } from "node:worker_threads";
import type { SenderData, Settled, ToSender } from "./messages.ts";

export interface Thread {
  /** What comes while the thread is down waits for the next one. */
  post(message: ToSender, transfer: readonly ArrayBuffer[]): void;
  /** Starts at once what waits to be started. */
  hurry(): void;
  /** Ends the thread as a crash would. For tests. */
  kill(): Promise<void>;
  end(): Promise<void>;
}

const firstRestartMs = 100;
const lastRestartMs = 30_000;
/** Of JavaScript's own heap. Spans on their way are outside it, bounded by the queue. */
const limits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };
const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/**
 * Keeps one sending thread running. It holds no process alive.
 * @param died told when a thread has ended: what was posted to it is lost.
 */
export function keepThread(
  data: SenderData,
  settled: (settled: Settled) => void,
  died: (cause: string) => void,
): Thread {
  const held: Parameters<Thread["post"]>[] = [];
  let worker: Worker | undefined;
  let restart: NodeJS.Timeout | undefined;
  let restartMs = firstRestartMs;
  let ended = false;

  function start(): void {
    restart = undefined;
    const started = new Worker(new URL(`./sender${extension}`, import.meta.url), {
      workerData: data,
      resourceLimits: limits,
      // Some of the process's options are no good for a thread, such as --input-type.
      execArgv: [],
      name: "otlp",
    });
    worker = started;
    let cause = "the thread ended";
    started.on("message", (message: Settled) => {
      restartMs = firstRestartMs;
      settled(message);
    });
    started.on("error", (error) => {
      cause = error.message;
    });
    started.on("exit", () => {
      worker = undefined;
      if (ended) return;
      restart = setTimeout(start, restartMs).unref();
      restartMs = Math.min(restartMs * 2, lastRestartMs);
      died(cause);
    });
    // After the listeners: each of them holds the process again.
    started.unref();
    for (const [message, transfer] of held.splice(0)) post(message, transfer);
  }

  function post(message: ToSender, transfer: readonly ArrayBuffer[]): void {
    if (worker) worker.postMessage(message, transfer as readonly Transferable[]);
    else held.push([message, transfer]);
  }

  start();
  return {
    post,
    hurry() {
      if (!restart) return;
      clearTimeout(restart);
      start();
    },
    async kill() {
      await worker?.terminate();
    },
    async end() {
      ended = true;
      clearTimeout(restart);
      await worker?.terminate();
    },
  };
}
