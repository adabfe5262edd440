import { Worker } from "node:worker_threads";
import { type Carried, unpack } from "./carry.ts";
import type { Loaded } from "./load.ts";
import { ConfigError, type Problem } from "./problem.ts";
import type { Env } from "./variables.ts";

/** What the thread is asked, and what it answers. */
export interface Ask {
  readonly file: string;
  readonly env: Env;
}
export type Found =
  | { readonly kind: "loaded"; readonly carried: Carried }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

export interface Loader {
  /** `loadConfig`, off the event loop. One call at a time. Rejects with a ConfigError where the file is wrong. */
  load(file: string, env?: NodeJS.ProcessEnv): Promise<Loaded>;
  close(): void;
}

const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
/** Of JavaScript's own heap: a file of 10,000 lines takes about 30 MB. */
const limits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 };
/** A second look at a file is three times faster than the first; kept for good, the thread would cost 20 MB. */
const idleMs = 10_000;

/** Reads configurations in a thread: to parse a large one takes longer than a request may wait. */
export function configLoader(): Loader {
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;

  function close(): void {
    clearTimeout(idle);
    void worker?.terminate();
    worker = undefined;
  }

  function start(): Worker {
    const started = new Worker(new URL(`./loader-thread${extension}`, import.meta.url), {
      resourceLimits: limits,
      execArgv: [],
      name: "config",
    });
    // Heard or not, it must not end the process; and it holds none alive.
    started.on("error", () => {}).unref();
    return started;
  }

  return {
    async load(file, env = process.env) {
      clearTimeout(idle);
      worker ??= start();
      const asked = worker;
      try {
        const found = await answerOf(asked, { file, env: { ...env } });
        if (found.kind === "refused") throw new ConfigError(found.problems, file);
        return unpack(found.carried);
      } finally {
        idle = setTimeout(close, idleMs).unref();
      }
    },
    close,
  };

  function answerOf(asked: Worker, ask: Ask): Promise<Found> {
    return new Promise((resolve, reject) => {
      const settled = () => asked.off("message", answered).off("error", failed).off("exit", ended);
      const answered = (found: Found) => {
        settled();
        resolve(found);
      };
      const failed = (error: Error) => {
        settled();
        if (worker === asked) worker = undefined;
        reject(error);
      };
      const ended = () => failed(new Error("the thread that reads the configuration ended"));
      asked.on("message", answered).on("error", failed).on("exit", ended);
      asked.postMessage(ask);
    });
  }
}
