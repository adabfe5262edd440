import { setTimeout as sleep } from "node:timers/promises";
import { readChat } from "../../src/chat/request.ts";
import { parseConfig } from "../../src/config/load.ts";
import { endpointHealth } from "../../src/pipeline/endpoint-health.ts";
import { buildPipeline } from "../../src/pipeline.ts";
import { startTracing } from "../../src/telemetry/tracing.ts";
import { noEffort } from "../../test/support/fake-encoder.ts";
import { settings } from "../../test/support/tracing.ts";
import { everything } from "../lib/configs.ts";
import { answerParent } from "../lib/role.ts";

/** Body to verdict in this process, without transport and without a model: parse, route, edit. */

const labels = ["math", "computer science", "other"];
const encoding = {
  embedding: new Float32Array(0),
  category: Float32Array.of(0.96, 0.02, 0.02),
  jailbreak: 0,
  entities: [],
  effort: noEffort,
};
/** Answers at once: what is left is the router's own work on the body. */
const encoder = {
  labels,
  dims: 0,
  fingerprint: "none",
  encode: async () => encoding,
  close: async () => {},
};

const { config } = parseConfig(everything(9, { collector: 0 }));
const pipeline = buildPipeline(config, { encoder, cache: undefined, health: endpointHealth() });
const tracing = startTracing(settings(), "bench", undefined);
const waiting = new AbortController();

async function decide(body: Buffer): Promise<number> {
  const read = readChat(body, "chat");
  if (read.kind !== "chat") throw new Error(`the bench's own body is ${read.code}`);
  const at = tracing.begin("bench", undefined, undefined);
  const outcome = await pipeline(read.chat, { path: "chat", tenant: undefined }, at, waiting);
  if (outcome.kind !== "forward" || !outcome.body) throw new Error("the decision did not edit the body");
  return outcome.body.length;
}

async function repeat(forMs: number, work: () => Promise<unknown>) {
  const micros: number[] = [];
  const cpu = process.cpuUsage();
  const until = performance.now() + forMs;
  for (let now = performance.now(); now < until; ) {
    await work();
    const after = performance.now();
    micros.push((after - now) * 1000);
    now = after;
    // The event loop gets its turn, as between two requests.
    if (micros.length % 200 === 0) await sleep(0);
  }
  const { user, system } = process.cpuUsage(cpu);
  return { micros, cpuMicros: (user + system) / micros.length };
}

answerParent({
  decisions: ({ body, forMs }: { body: string; forMs: number }) => {
    const bytes = Buffer.from(body);
    return repeat(forMs, () => decide(bytes));
  },
  /** What the reading alone takes, and beside it what JSON.parse of the same bytes would. */
  reading: ({ body, forMs }: { body: string; forMs: number }) => {
    const bytes = Buffer.from(body);
    return repeat(forMs, async () => readChat(bytes, "chat"));
  },
  jsonParse: ({ body, forMs }: { body: string; forMs: number }) => {
    const bytes = Buffer.from(body);
    return repeat(forMs, async () => JSON.parse(bytes.toString()));
  },
});
