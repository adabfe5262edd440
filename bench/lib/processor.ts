import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild } from "../../scripts/lib/child.ts";
import { processorArgs } from "../../scripts/lib/processor.ts";
import { freePort } from "../../test/support/ports.ts";
import { onCore, pidOf } from "./role.ts";

export interface RunningProcessor extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** From the start of the process to its word that it is ready. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

export interface ProcessorOptions {
  readonly config: string;
  readonly core?: number;
  /** Where Node keeps compiled code; a fresh folder for a cold start. */
  readonly compileCache?: string;
  /** Another entry than `src/main.ts`, such as a build's. */
  readonly main?: string;
  readonly nodeArgs?: readonly string[];
}

const source = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** Starts the product itself, as `npm run processor` does, and waits until it says that it is ready. */
export async function startProcessor(options: ProcessorOptions): Promise<RunningProcessor> {
  const folder = mkdtempSync(join(tmpdir(), "bench-processor-"));
  const file = join(folder, "config.yaml");
  writeFileSync(file, options.config);
  const port = await freePort();
  const [command, args] = onCore(options.core, process.execPath, [
    ...(options.nodeArgs ?? []),
    ...processorArgs("--config", file, "--listen", `127.0.0.1:${port}`).map((arg) =>
      arg === source ? (options.main ?? source) : arg,
    ),
  ]);
  const env = { ...process.env, NODE_COMPILE_CACHE: options.compileCache ?? process.env.NODE_COMPILE_CACHE };
  const started = performance.now();
  const child = startChild(command, args, { stdio: ["ignore", "ignore", "pipe"], env });
  const stop = async () => {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  let said = "";
  const ready = new Promise<number>((resolve) => {
    child.process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      // Afterwards it logs to nobody, and must not fill our memory.
      if (said.length < 100_000) said += text;
      if (said.includes('"msg":"ready"')) resolve(performance.now() - started);
    });
  });
  const first = await Promise.race([ready, child.ended]);
  if (typeof first === "string") {
    await stop();
    throw new Error(`the processor ${first}\n${said}`);
  }
  return { pid: pidOf(child), port, readyMs: first, stop, [Symbol.asyncDispose]: stop };
}
