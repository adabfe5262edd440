import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Document, parseDocument } from "yaml";
import { ensureEnvoy } from "../../scripts/envoy-binary.ts";
import { type Child, startChild } from "../../scripts/lib/child.ts";
import { type Address, ENVOY_PATHS, type EnvoyEndpoint, renderEnvoy } from "../../src/envoy/render.ts";

export type TestEnvoyOptions = {
  readonly endpoints: readonly EnvoyEndpoint[];
  readonly processor: Address | { readonly path: string };
  /** Another version than the one everybody uses, from PyPI. */
  readonly version?: string;
  /** Runtime keys over those of the file. */
  readonly runtime?: Readonly<Record<string, boolean | number | string>>;
  /** Changes the configuration in place; `ENVOY_PATHS` of src/envoy/render.ts names where things are. */
  readonly edits?: (doc: Document) => void;
  /** Also wait until Envoy sees a healthy processor; default true. */
  readonly waitForProcessor?: boolean;
  readonly endpointHeader?: "name" | "address";
};

export type TestEnvoy = AsyncDisposable & {
  readonly port: number;
  readonly adminPort: number;
  /** Counters and gauges whose name matches the regular expression. */
  stats(filter: string): Promise<Map<string, number>>;
  /** Access log lines so far (JSON). */
  accessLog(): string[];
  /** The first access log entry that satisfies the condition, now or within the time. */
  logged(
    condition: (entry: Record<string, unknown>) => boolean,
    withinMs?: number,
  ): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
};

const TEMPLATE = new URL("../../envoy/envoy.yaml", import.meta.url);
const START_LIMIT_MS = 20_000;

/** A reason to skip when this machine cannot have an Envoy; in CI a missing part fails instead. */
export const envoyMissing: string | false = process.env.CI
  ? false
  : (process.env.TEST_WITHOUT_ENVOY ?? false);

/** The project's own Envoy configuration in a real Envoy, on ports of the kernel's choice. */
export async function startEnvoy(options: TestEnvoyOptions): Promise<TestEnvoy> {
  const binary = await ensureEnvoy(
    (line) => process.stderr.write(`${line}\n`),
    options.version === undefined ? {} : { version: options.version },
  );
  const folder = mkdtempSync(join(tmpdir(), "envoy-test-"));
  const adminFile = join(folder, "admin");
  const file = join(folder, "envoy.yaml");
  writeFileSync(file, configuration(options));
  const args = ["-c", file, "--admin-address-path", adminFile];
  const child = startChild(binary, [...args, ...FLAGS], { stdio: ["ignore", "pipe", "pipe"] });
  const out = collect(child, "stdout");
  const err = collect(child, "stderr");
  const stop = async (): Promise<void> => {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };

  try {
    let how: string | undefined;
    void child.ended.then((end) => {
      how = end;
    });
    const until = async <T>(what: string, probe: () => Promise<T | undefined>): Promise<T> => {
      const deadline = Date.now() + START_LIMIT_MS;
      while (how === undefined && Date.now() < deadline) {
        const value = await probe().catch(() => undefined);
        if (value !== undefined) return value;
        await sleep(10);
      }
      throw new Error(`Envoy ${how ?? `took too long: ${what}`}\n${err.text().slice(-4_000)}`);
    };

    const adminPort = await until("no admin address", async () => portOf(readFileSync(adminFile, "utf8")));
    const admin = `http://127.0.0.1:${adminPort}`;
    const ready = async () => ((await get(`${admin}/ready`)).startsWith("LIVE") ? true : undefined);
    await until("not live", ready);
    const stats = async (filter: string) =>
      readStats(await get(`${admin}/stats?filter=${encodeURIComponent(filter)}`));
    if (options.waitForProcessor ?? true) {
      const gauge = "cluster.processor.membership_healthy";
      await until("no healthy processor", async () =>
        ((await stats(`^${gauge}$`)).get(gauge) ?? 0) > 0 ? true : undefined,
      );
    }
    const port = portOf((await get(`${admin}/listeners`)).trim());
    if (port === undefined) throw new Error("Envoy has no listener");

    const accessLog = () =>
      out
        .text()
        .split("\n")
        .filter((line) => line.startsWith("{"));
    return {
      port,
      adminPort,
      stats,
      accessLog,
      async logged(condition, withinMs = 3_000) {
        const deadline = Date.now() + withinMs;
        for (;;) {
          const entry = accessLog()
            .map((line) => JSON.parse(line) as Record<string, unknown>)
            .find(condition);
          if (entry) return entry;
          if (Date.now() > deadline)
            throw new Error(`no such access log entry in:\n${accessLog().slice(-10).join("\n")}`);
          await sleep(10);
        }
      },
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const FLAGS = [
  "--disable-hot-restart",
  "--concurrency",
  "1",
  "--file-flush-interval-msec",
  "20",
  "--log-level",
  "warn",
];

function configuration(options: TestEnvoyOptions): string {
  const anyPort = { address: "127.0.0.1", port: 0 };
  const text = renderEnvoy(readFileSync(TEMPLATE, "utf8"), {
    endpoints: options.endpoints,
    processor: options.processor,
    endpointHeader: options.endpointHeader ?? "name",
    listen: anyPort,
    admin: anyPort,
  });
  const doc = parseDocument(text, { version: "1.1" });
  for (const [key, value] of Object.entries(options.runtime ?? {}))
    doc.setIn([...ENVOY_PATHS.runtime, key], value);
  options.edits?.(doc);
  return doc.toString();
}

function collect(child: Child, stream: "stdout" | "stderr"): { text(): string } {
  let text = "";
  child.process[stream]?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return { text: () => text };
}

async function get(url: string): Promise<string> {
  return (await fetch(url, { headers: { connection: "close" }, signal: AbortSignal.timeout(2_000) })).text();
}

const portOf = (address: string): number | undefined => {
  const port = Number(/:(\d+)$/.exec(address)?.[1]);
  return port > 0 ? port : undefined;
};

function readStats(text: string): Map<string, number> {
  const pairs = text.split("\n").map((line): [string, number] => {
    const at = line.lastIndexOf(": ");
    return [line.slice(0, at), Number(line.slice(at + 2))];
  });
  return new Map(pairs.filter(([name, value]) => name !== "" && !Number.isNaN(value)));
}
