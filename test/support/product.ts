import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startChild } from "../../scripts/lib/child.ts";
import { processorArgs } from "../../scripts/lib/processor.ts";

/** The processor as its user runs it: a process of its own, with a configuration file. */
export interface Product extends AsyncDisposable {
  readonly port: number;
  /** Of `server.status_listen` and `admin.listen`, where the configuration asks for them. */
  readonly statusPort: number | undefined;
  readonly adminPort: number | undefined;
  readonly pid: number;
  /** Its configuration; what is written there it follows. */
  readonly file: string;
  /** Everything it has logged so far. */
  log(): string;
  /** The first line with that text, among those already logged, from line `from` on, or to come. */
  logs(text: string, from?: number, withinMs?: number): Promise<string>;
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<void>;
}

interface Ready {
  readonly port: number;
  readonly status_port?: number;
  readonly admin_port?: number;
}

export async function startProduct(yaml: string, env: Record<string, string> = {}): Promise<Product> {
  const folder = mkdtempSync(join(tmpdir(), "router-test-"));
  const file = join(folder, "config.yaml");
  writeFileSync(file, yaml);
  const child = startChild(process.execPath, processorArgs("--config", file, "--listen", "127.0.0.1:0"), {
    stdio: ["ignore", "inherit", "pipe"],
    env: { ...process.env, ...env },
  });
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  const ready = new Promise<Ready>((resolve, reject) => {
    createInterface({ input: child.process.stderr! }).on("line", (line) => {
      lines.push(line);
      for (const listener of [...listeners]) listener();
      if (line.includes('"msg":"ready"')) resolve(JSON.parse(line) as Ready);
    });
    void child.ended.then((how) => reject(new Error(`the processor ${how}\n${lines.join("\n")}`)));
  });
  ready.catch(() => {});
  const stop = async () => {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const ports = await ready.catch(async (error) => {
    await stop();
    throw error;
  });
  const logs = (text: string, from = 0, withinMs = 10_000) =>
    new Promise<string>((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        listeners.delete(look);
      };
      const look = () => {
        const found = lines.slice(from).find((line) => line.includes(text));
        if (found === undefined) return;
        settle();
        resolve(found);
      };
      const timer = setTimeout(() => {
        settle();
        reject(new Error(`it never logged "${text}":\n${lines.slice(from).join("\n")}`));
      }, withinMs);
      listeners.add(look);
      look();
    });
  return {
    port: ports.port,
    statusPort: ports.status_port,
    adminPort: ports.admin_port,
    pid: child.process.pid!,
    file,
    log: () => lines.join("\n"),
    logs,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
