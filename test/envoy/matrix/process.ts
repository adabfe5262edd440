import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startChild } from "../../../scripts/lib/child.ts";
import { processorArgs } from "../../../scripts/lib/processor.ts";

/** The router as a process whose file can be rewritten, and which is told to stop in the midst of its work. */
export interface RouterProcess {
  readonly port: number;
  /** All that it has written to standard error, its log, so far. */
  log(): string;
  /** All that it has written to standard output so far. */
  out(): string;
  /** The first line of the log with that message, once it is there. Rejects where the process ends before. */
  said(message: string): Promise<Record<string, unknown>>;
  configure(config: object): void;
  /** Tells it to stop, by SIGTERM. */
  terminate(): void;
  /** Waits until it has ended, all that it wrote included; by force where it does not end by itself. */
  ended(): Promise<void>;
  /** Ends it, by force if need be. */
  stop(): Promise<void>;
}

const longestWaitMs = 20_000;
/** Longer than a drain that nobody needs. */
const longestStopMs = 30_000;

export async function startRouterProcess(
  config: object,
  env: Record<string, string> = {},
): Promise<RouterProcess> {
  const folder = mkdtempSync(join(tmpdir(), "router-test-"));
  const file = join(folder, "config.yaml");
  const configure = (next: object) => writeFileSync(file, JSON.stringify(next));
  configure(config);
  const child = startChild(process.execPath, processorArgs("--config", file, "--listen", "127.0.0.1:0"), {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let log = "";
  let out = "";
  child.process.stderr!.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  child.process.stdout!.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  // Not "exit": what it wrote last may come after that.
  let over = false;
  const closed = once(child.process, "close").then(() => {
    over = true;
  });

  const said = async (message: string) => {
    for (const deadline = Date.now() + longestWaitMs; ; await sleep(10)) {
      const line = log.split("\n").find((one) => one.includes(`"msg":"${message}"`));
      if (line) return JSON.parse(line) as Record<string, unknown>;
      if (over || Date.now() > deadline)
        throw new Error(`the router ${over ? "has ended" : "is running"} without "${message}":\n${log}`);
    }
  };
  const stop = async () => {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const { port } = await said("ready");
    return {
      port: Number(port),
      log: () => log,
      out: () => out,
      said,
      configure,
      terminate: () => child.process.kill("SIGTERM"),
      async ended() {
        const timer = setTimeout(() => void child.stop(0), longestStopMs);
        await closed.finally(() => clearTimeout(timer));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
