import { Worker } from "node:worker_threads";
import { type Carried, unpack } from "./carry.ts";
import type { Loaded } from "./load.ts";
import { ConfigError, type Problem } from "./problem.ts";
import type { Env } from "./variables.ts";

/** What the thread is asked, and what it answers. */
export interface Ask {
  readonly id: number;
  readonly file: string;
  readonly env: Env;
}
export type Found = { readonly id: number } & (
  | { readonly kind: "loaded"; readonly carried: Carried }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] }
);

export interface Loader {
  /** `loadConfig`, off the event loop. Rejects with a ConfigError where the file is wrong. */
  load(file: string): Promise<Loaded>;
  /** The file is about to be loaded: the thread starts and reads it once for nothing, since the second time is faster. */
  expect(file: string): void;
  close(): void;
}

const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
/** Of JavaScript's own heap: a file of 10,000 lines takes about 30 MB. */
const limits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 };
/** Kept for good, the thread would cost 20 MB. */
const idleMs = 10_000;

/** Reads configurations in a thread: to parse a large one takes longer than a request may wait. */
export function configLoader(env: NodeJS.ProcessEnv = process.env): Loader {
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let lastId = 0;
  let loading = 0;

  function close(): void {
    clearTimeout(idle);
    void worker?.terminate();
    worker = undefined;
  }

  function rest(): void {
    clearTimeout(idle);
    if (loading === 0) idle = setTimeout(close, idleMs).unref();
  }

  function running(): Worker {
    clearTimeout(idle);
    if (worker) return worker;
    const started = new Worker(new URL(`./loader-thread${extension}`, import.meta.url), {
      resourceLimits: limits,
      execArgv: [],
      name: "config",
    });
    const gone = () => {
      if (worker === started) worker = undefined;
    };
    // Heard or not, an error must not end the process; and the thread holds none alive.
    started.on("error", gone).on("exit", gone).unref();
    worker = started;
    return started;
  }

  function ask(file: string): { readonly id: number; readonly of: Worker } {
    const of = running();
    lastId += 1;
    of.postMessage({ id: lastId, file, env: { ...env } } satisfies Ask);
    return { id: lastId, of };
  }

  return {
    async load(file) {
      const { id, of } = ask(file);
      loading += 1;
      const found = await new Promise<Found>((resolve, reject) => {
        const settled = () => of.off("message", answered).off("error", failed).off("exit", ended);
        const answered = (one: Found) => {
          if (one.id !== id) return;
          settled();
          resolve(one);
        };
        const failed = (error: Error) => {
          settled();
          reject(error);
        };
        const ended = () => failed(new Error("the thread that reads the configuration ended"));
        of.on("message", answered).on("error", failed).on("exit", ended);
      }).finally(() => {
        loading -= 1;
        rest();
      });
      if (found.kind === "refused") throw new ConfigError(found.problems, file);
      return unpack(found.carried);
    },
    expect(file) {
      ask(file);
      rest();
    },
    close,
  };
}
