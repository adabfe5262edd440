import { type Transferable, Worker } from "node:worker_threads";
import type { Released, SenderData, Settled, ToSender } from "./messages.ts";

export interface Thread {
  /** Starts the thread if there is none. What comes while it is down waits for the next one. */
  post(message: ToSender, transfer: readonly ArrayBuffer[]): void;
  /** Starts at once what waits to be started. */
  hurry(): void;
  /** Ends the thread, which has nothing to do; the next post starts another. */
  rest(): void;
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
 * One sending thread, from the first message on; it costs about 24 MB. It holds no process alive.
 * @param died told when a thread has ended: what was posted to it is lost.
 */
export function keepThread(
  data: SenderData,
  told: (message: Settled | Released) => void,
  died: (cause: string) => void,
): Thread {
  const held: Parameters<Thread["post"]>[] = [];
  let worker: Worker | undefined;
  let restart: NodeJS.Timeout | undefined;
  let restartMs = firstRestartMs;
  let notBefore = 0;

  function start(): void {
    clearTimeout(restart);
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
    started.on("message", (message: Settled | Released) => {
      restartMs = firstRestartMs;
      told(message);
    });
    started.on("error", (error) => {
      cause = error.message;
    });
    started.on("exit", () => {
      // One that was ended on purpose.
      if (worker !== started) return;
      worker = undefined;
      notBefore = performance.now() + restartMs;
      restartMs = Math.min(restartMs * 2, lastRestartMs);
      died(cause);
    });
    // After the listeners: each of them holds the process again.
    started.unref();
    for (const [message, transfer] of held.splice(0)) post(message, transfer);
  }

  function post(message: ToSender, transfer: readonly ArrayBuffer[]): void {
    if (worker) {
      worker.postMessage(message, transfer as readonly Transferable[]);
      return;
    }
    held.push([message, transfer]);
    const waitMs = notBefore - performance.now();
    if (waitMs <= 0) start();
    else restart ??= setTimeout(start, waitMs).unref();
  }

  async function stop(): Promise<void> {
    clearTimeout(restart);
    restart = undefined;
    const stopped = worker;
    worker = undefined;
    await stopped?.terminate();
  }

  return {
    post,
    hurry() {
      if (restart) start();
    },
    rest: () => void stop(),
    async kill() {
      await worker?.terminate();
    },
    end: stop,
  };
}
