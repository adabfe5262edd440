import { setTimeout as sleep } from "node:timers/promises";
import { memoryCache } from "../../src/cache/memory.ts";
import { parseConfig } from "../../src/config/load.ts";
import { Dialogue } from "../../src/extproc/dialogue.ts";
import { serve } from "../../src/extproc/server.ts";
import { startEncoder } from "../../src/models/encoder.ts";
import { endpointHealth } from "../../src/pipeline/endpoint-health.ts";
import { buildService } from "../../src/router.ts";
import { otlpExporter } from "../../src/telemetry/otlp-exporter.ts";
import { startTracing, type Tracing } from "../../src/telemetry/tracing.ts";
import { version } from "../../src/version.ts";
import { everything } from "../lib/configs.ts";
import { answerParent } from "../lib/role.ts";
import { standIn } from "../lib/stand-in.ts";
import type { Block } from "../lib/stats.ts";

/**
 * The real server, with tracing that can be switched between two exchanges. It is built from the same parts as
 * `src/run.ts`, because the product itself has no such switch.
 */

export type Mode = "on" | "off" | "alternate";

let mode: Mode = "off";
let blockSize = 25;
let begun = 0;
let blocks: { on: boolean; ms: number[] }[] = [];
let exporting: Tracing;
let cpuAtStart = process.cpuUsage();

const isOn = () => (mode === "alternate" ? Math.floor((begun - 1) / blockSize) % 2 === 0 : mode === "on");

function switched(on: Tracing, off: Tracing): Tracing {
  return {
    health: on.health,
    get enabled() {
      return isOn();
    },
    begin(...context) {
      begun += 1;
      const block = mode === "alternate" ? Math.floor((begun - 1) / blockSize) : 0;
      blocks[block] ??= { on: isOn(), ms: [] };
      return (isOn() ? on : off).begin(...context);
    },
    finish: (trace) => (trace.identity.propagates ? on : off).finish(trace),
    shutdown: (ms) => on.shutdown(ms),
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
  const service = buildService(config, { encoder, cache, health: endpointHealth() }, 1);
  const policy = config.observability.tracing;
  exporting = startTracing(policy, version, (origin) => otlpExporter(policy.exporter, origin), console.error);
  const off = startTracing(policy, version, undefined, console.error);
  watchVerdicts();
  const serving = { current: () => service, fault: (error: unknown) => console.error(error) };
  return (await serve("127.0.0.1:0", serving, switched(exporting, off))).port;
}

/** Nothing of an earlier measurement is left to be done. */
async function settle(): Promise<void> {
  while (exporting.health.queued > 0) await sleep(20);
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
