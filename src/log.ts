import { setTimeout as sleep } from "node:timers/promises";
import pino, { type Logger } from "pino";

const lastLinesMs = 500;

export interface Log {
  readonly log: Logger;
  /** The last lines out, if their reader takes them. */
  close(): Promise<void>;
}

/**
 * The log, on standard error: spans may go to standard output, and the two must not mix. A reader that stalls must not
 * stall requests: what it leaves waits, up to a megabyte, and beyond that lines are lost. So they are where they cannot be
 * written, on a full disk or after a terminal was closed.
 */
export function openLog(level: string): Log {
  const stderr = pino.destination({ dest: 2, sync: false, maxLength: 1024 * 1024 });
  stderr.on("error", () => {});
  // Called at the exit of the process, it would try for ever to write what cannot be written: `close` is called before.
  stderr.flushSync = () => {};
  return {
    log: pino({ level, base: null }, stderr),
    async close() {
      const written = new Promise<void>((resolve) => stderr.once("finish", () => resolve()));
      stderr.end();
      await Promise.race([written, sleep(lastLinesMs)]);
      stderr.destroy();
    },
  };
}
