import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { startChild } from "../../scripts/lib/child.ts";
import { freePorts } from "../support/ports.ts";
import { repoRoot } from "../support/repo.ts";
import { type Jaeger, jaegerApi } from "./jaeger-api.ts";

const START_LIMIT_MS = 60_000;

/** A reason to skip where nobody has brought the parts; `npm run test:neighbours` brings them or fails. */
export const partsMissing: string | false =
  process.env.JAEGER_BIN && process.env.OTELCOL_BIN
    ? false
    : "npm run test:neighbours brings Jaeger and the Collector";

/** A real program with a configuration of examples/, its ports and folders set by variables. */
async function startServer(
  name: string,
  binary: string,
  args: readonly string[],
  env: Record<string, string>,
  isReady: () => Promise<boolean>,
) {
  const child = startChild(binary, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  let said = "";
  let how: string | undefined;
  child.process.stderr!.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-20_000);
  });
  void child.ended.then((end) => {
    how = end;
  });
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await isReady().catch(() => false))) {
    if (how === undefined && Date.now() < deadline) await sleep(50);
    else {
      await child.stop();
      throw new Error(`${name} ${how ?? "is not ready in time"}\n${said.slice(-4000)}`);
    }
  }
  return { stop: () => child.stop(2_000) };
}

export interface RunningJaeger extends AsyncDisposable, Jaeger {
  readonly otlpGrpcPort: number;
}

const JAEGER_CONFIG = join(repoRoot, "examples", "jaeger", "badger.yaml");

/** Jaeger with examples/jaeger/badger.yaml, or with that but for its storage. */
export async function startJaeger(storage: "memory" | "badger"): Promise<RunningJaeger> {
  const [page, query, health, grpc, http] = await freePorts(5);
  const folder = mkdtempSync(join(tmpdir(), "jaeger-test-"));
  let file = JAEGER_CONFIG;
  if (storage === "memory") {
    const config = parse(readFileSync(file, "utf8")) as {
      extensions: { jaeger_storage: { backends: { disk: object } } };
    };
    config.extensions.jaeger_storage.backends.disk = { memory: { max_traces: 1000 } };
    file = join(folder, "memory.yaml");
    writeFileSync(file, JSON.stringify(config));
  }
  const ports = { PAGE: page, QUERY: query, HEALTH: health, OTLP_GRPC: grpc, OTLP_HTTP: http };
  const server = await startServer(
    "jaeger",
    process.env.JAEGER_BIN!,
    ["--config", file],
    { ...portVariables(ports), JAEGER_LISTEN_HOST: "127.0.0.1", BADGER_DIR: folder },
    async () => (await fetch(`http://127.0.0.1:${health}/status`)).ok,
  );
  return {
    ...jaegerApi(`http://127.0.0.1:${page}`),
    otlpGrpcPort: grpc!,
    async [Symbol.asyncDispose]() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const COLLECTOR_CONFIG = join(repoRoot, "examples", "otel-collector", "collector.yaml");

export interface RunningCollector extends AsyncDisposable {
  readonly ports: CollectorPorts;
}
export interface CollectorPorts {
  readonly grpc: number;
  readonly http: number;
}

/** The Collector with examples/otel-collector/collector.yaml. `keepPercent`: of what no other policy keeps. */
export async function startCollector(
  nextPort: number,
  keepPercent: number,
  at?: CollectorPorts,
): Promise<RunningCollector> {
  const [one, two] = await freePorts(2);
  const ports = at ?? { grpc: one!, http: two! };
  const server = await startServer(
    "otelcol",
    process.env.OTELCOL_BIN!,
    ["--config", COLLECTOR_CONFIG],
    {
      ...portVariables({ OTLP_GRPC: ports.grpc, OTLP_HTTP: ports.http }),
      LISTEN_HOST: "127.0.0.1",
      NEXT: `127.0.0.1:${nextPort}`,
      KEEP_PERCENT: String(keepPercent),
      DECISION_WAIT: "1s",
    },
    async () => (await accepts(ports.grpc)) && (await accepts(ports.http)),
  );
  return { ports, [Symbol.asyncDispose]: server.stop };
}

const portVariables = (ports: Readonly<Record<string, number | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(ports).map(([name, port]) => [`${name}_PORT`, String(port)]));

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const done = (open: boolean) => () => {
      socket.destroy();
      resolve(open);
    };
    socket.once("connect", done(true)).once("error", done(false));
  });
