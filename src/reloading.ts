import { statSync } from "node:fs";
import type { Loaded } from "./config/load.ts";
import { configLoader } from "./config/loader.ts";
import { ConfigError, type Problem } from "./config/problem.ts";
import { watchConfig } from "./config/watch.ts";
import type { Generations } from "./generations.ts";

/** How one reload went. */
export interface Reload {
  /** ISO 8601 */
  readonly at: string;
  /** Who asked: the file that changed, the signal, or a call to the admin server. */
  readonly by: "file" | "SIGHUP" | "admin";
  readonly applied: boolean;
  /** Number of the configuration in force afterwards. */
  readonly generation: number;
  /** From the request to the swap or the refusal, in milliseconds. */
  readonly ms: number;
  /** Why it was not applied. */
  readonly error?: string;
  /** Everything that is wrong with the file, with its place. */
  readonly problems?: readonly Problem[];
}

export interface Reloading {
  readonly last: Reload | undefined;
  /** Reads the file now. Whoever asks while another waits for its turn gets the answer of that one. */
  reload(by: Reload["by"]): Promise<Reload>;
  /** Stops following the file and the signal. */
  close(): void;
}

/** Told what a reload found; `next` before it is in force. */
export interface ReloadListener {
  loaded(next: Loaded): void;
  done(reload: Reload): void;
}

/** Follows the file, and SIGHUP. A file that is wrong changes nothing. */
export function followConfig(
  { file, text }: Loaded["source"],
  generations: Generations,
  listener: ReloadListener,
): Reloading {
  const loader = configLoader();
  let last: Reload | undefined;
  let closed = false;
  // One after another: the last file wins, whatever the order in which they are built.
  let under: Promise<unknown> = Promise.resolve();
  let next: Promise<Reload> | undefined;

  async function work(by: Reload["by"]): Promise<Reload> {
    const began = performance.now();
    const end = (more: Pick<Reload, "applied" | "error" | "problems">): Reload => ({
      at: new Date().toISOString(),
      by,
      generation: generations.number,
      ms: Math.round(performance.now() - began),
      ...more,
    });
    try {
      if (statSync(file, { throwIfNoEntry: false })?.isFile() === false)
        throw new Error(
          "it is no regular file: what it held was read at the start, and it cannot be read again",
        );
      watch.seen();
      const loaded = await loader.load(file);
      if (loaded.source.text.trim() === "")
        throw new Error(
          "the file is empty, as one that is being written is; to have everything passed through, write {}",
        );
      listener.loaded(loaded);
      await generations.replace(loaded);
      return end({ applied: true });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return error instanceof ConfigError
        ? end({ applied: false, error: error.message, problems: error.problems })
        : end({ applied: false, error: `${file}: ${error.message}` });
    }
  }

  function reload(by: Reload["by"]): Promise<Reload> {
    next ??= under.then(async () => {
      next = undefined;
      const done = await work(by);
      if (closed) return done;
      last = done;
      listener.done(done);
      return done;
    });
    under = next;
    return next;
  }

  const watch = watchConfig(
    file,
    text,
    () => void reload("file"),
    () => loader.expect(file),
  );
  const hungUp = () => void reload("SIGHUP");
  process.on("SIGHUP", hungUp);
  return {
    get last() {
      return last;
    },
    reload,
    close() {
      closed = true;
      watch.close();
      loader.close();
      process.off("SIGHUP", hungUp);
      // Unheard, a SIGHUP would end the process in the middle of its drain.
      process.on("SIGHUP", () => {});
    },
  };
}
