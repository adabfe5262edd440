import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { memoryCache } from "../../src/cache/memory.ts";
import { parseConfig } from "../../src/config/load.ts";
import { Dialogue } from "../../src/extproc/dialogue.ts";
import { joinEndings } from "../../src/extproc/endings.ts";
import { serve } from "../../src/extproc/server.ts";
import { startEncoder } from "../../src/models/encoder.ts";
import { endpointHealth } from "../../src/pipeline/endpoint-health.ts";
import { buildService } from "../../src/router.ts";
import { finishing } from "../../src/telemetry/finishing.ts";
import { exportLedger } from "../../src/telemetry/ledger.ts";
import { otlpExporter } from "../../src/telemetry/otlp/exporter.ts";
import { startTracing, type Tracing } from "../../src/telemetry/tracing.ts";
import { version } from "../../src/version.ts";
import { otlpTo, settings } from "../../test/support/tracing.ts";
import { everything } from "../lib/configs.ts";
import { answerParent } from "../lib/role.ts";
import { standIn } from "../lib/stand-in.ts";
import type { Block } from "../lib/stats.ts";

/**
 * The real server, with tracing that can be switched between two exchanges. It is built from the same parts as
 * `src/run.ts`, because the product itself has no such switch.
 */

export type Mode = keyof Pipelines | "alternate";

/** One tracing pipeline for each thing to compare. */
interface Pipelines {
  readonly off: Tracing;
  readonly on: Tracing;
  /** A tenth is sampled. */
  readonly tenth: Tracing;
  /** The collector's port is closed. */
  readonly down: Tracing;
  /** The collector takes connections and says nothing. */
  readonly silent: Tracing;
}

let mode: Mode = "off";
let blockSize = 25;
let begun = 0;
let blocks: { on: boolean; ms: number[] }[] = [];
let pipelines: Pipelines;
let cpuAtStart = process.cpuUsage();

const nameNow = (): keyof Pipelines =>
  mode !== "alternate" ? mode : Math.floor((begun - 1) / blockSize) % 2 === 0 ? "on" : "off";

function switched(): Tracing {
  return {
    get health() {
      return pipelines.on.health;
    },
    get enabled() {
      return pipelines[nameNow()].enabled;
    },
    begin(...context) {
      begun += 1;
      const block = mode === "alternate" ? Math.floor((begun - 1) / blockSize) : 0;
      const name = nameNow();
      blocks[block] ??= { on: name !== "off", ms: [] };
      return pipelines[name].begin(...context);
    },
    finish(trace) {
      const traced = mode === "alternate" || mode === "off" ? "on" : mode;
      pipelines[trace.identity.propagates ? traced : "off"].finish(trace);
    },
    adopt: undefined,
    take: (trace) => pipelines.on.take(trace),
    retire: async () => {},
    shutdown: (ms) => pipelines.on.shutdown(ms),
  };
}

/** From the arrival of the body to the verdict handed to gRPC. One client, so the newest block is the exchange's own. */
function watchVerdicts(): void {
  const { heard, answer } = Dialogue.prototype;
  const arrived = new WeakMap<Dialogue, number>();
  Dialogue.prototype.heard = function (message) {
    if (message.phase === "requestBody") arrived.set(this, message.atMs);
    heard.call(this, message);
  };
  Dialogue.prototype.answer = function (verdict) {
    answer.call(this, verdict);
    const at = arrived.get(this);
    if (at === undefined) return;
    blocks.at(-1)?.ms.push(performance.now() - at);
    arrived.delete(this);
  };
}

async function start({ collector, encoderMs }: { collector: number; encoderMs: number }): Promise<number> {
  const { config } = parseConfig(everything(9, { collector }));
  const real = await startEncoder({ workers: 1, deadlineMs: 10_000, queueLimit: 100 });
  const encoder = encoderMs > 0 ? standIn(real.labels, encoderMs) : real;
  if (encoder !== real) await real.close();
  const cache = memoryCache({ maxEntries: 10_000, ttlSeconds: 3600, eviction: "fifo" });
  const closed = await listen((socket) => socket.destroy());
  const silent = await listen(() => {});
  await new Promise((resolve) => closed.close(resolve));
  const to = (port: number, sampling = settings().sampling): Tracing =>
    startTracing(
      settings({ sampling }),
      version,
      (origin) => otlpExporter(otlpTo(`http://127.0.0.1:${port}`), origin),
      {
        ledger: exportLedger((_, message) => port === collector && console.error(message)),
        finishing: finishing(config.observability.tracing),
      },
    );
  pipelines = {
    off: startTracing(settings(), version, undefined),
    on: to(collector),
    tenth: to(collector, { type: "probabilistic", rate: 0.1, parent_based: false }),
    down: to(portOf(closed)),
    silent: to(portOf(silent)),
  };
  const service = buildService(config, { encoder, cache, health: endpointHealth() }, switched(), 1);
  watchVerdicts();
  const serving = {
    enter: () => service,
    leave: () => {},
    endings: joinEndings(() => 0),
    fault: (error: unknown) => console.error(error),
  };
  return (await serve("127.0.0.1:0", serving)).port;
}

/** Asked for before it is closed, and kept: nobody else will get it meanwhile. */
const ports = new WeakMap<Server, number>();
const portOf = (server: Server): number => ports.get(server) ?? 0;

async function listen(accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer(accept).unref();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ports.set(server, (server.address() as AddressInfo).port);
  return server;
}

/** Nothing of an earlier measurement is left to be done: what goes to a collector that works has gone. */
async function settle(): Promise<void> {
  while (pipelines.on.health.queued + pipelines.tenth.health.queued > 0) await sleep(20);
  await sleep(50);
}

answerParent({
  start,
  async measure(wanted: { mode: Mode; blockSize: number }) {
    await settle();
    ({ mode, blockSize } = wanted);
    begun = 0;
    blocks = [];
    cpuAtStart = process.cpuUsage();
  },
  async measured(): Promise<{ blocks: Block[]; cpuMicros: number; exchanges: number }> {
    await settle();
    const { user, system } = process.cpuUsage(cpuAtStart);
    return { blocks, cpuMicros: user + system, exchanges: begun };
  },
});
