import { setTimeout as sleep } from "node:timers/promises";
import { unclassified } from "../lib/configs.ts";
import { cpuMicros, ForeignLoad } from "../lib/cpu.ts";
import type { Load } from "../lib/load.ts";
import { exchange, readAnswer, requestHalf, usualRequest, usualResponse } from "../lib/messages.ts";
import { type RunningProcessor, startProcessor } from "../lib/processor.ts";
import { type Role, startRole } from "../lib/role.ts";
import { best, median, percentile, sum } from "../lib/stats.ts";
import { fixed, percent, type Table } from "../lib/table.ts";
import { choose, type Effort, foreignNote } from "./section.ts";

const bar = 15_000;
const concurrency = 32;
/** Root, decision, backend selection, upstream. */
const spansPerExchange = 4;
/** A batch of spans leaves at the latest this long after its first exchange. */
const exportSettlesMs = 1300;

interface Round {
  readonly load: Load;
  readonly cpu: number;
  readonly clientCpu: number;
}

interface Variant {
  readonly name: string;
  readonly processor: RunningProcessor;
  readonly traced: boolean;
  readonly messages: readonly string[];
  readonly rounds: Round[];
}

/** Exchanges whose model the client names, with no guard: the processor on one core, everything else on the other. */
export async function streams(effort: Effort): Promise<Table[]> {
  await using client = await startRole("ext-proc-client", { core: 1 });
  await using collector = await startRole("collector", { core: 1 });
  const otlp = await collector.ask<number>("port");
  await using on = await startProcessor({ config: unclassified(9, { collector: otlp }), core: 0 });
  await using off = await startProcessor({ config: unclassified(9, { collector: 0 }), core: 0 });
  const whole = exchange(usualRequest("general-model"), usualResponse);
  await checkAnswers(client, on, whole);

  const variants: Variant[] = [requestHalf(whole), whole].flatMap((half) =>
    [off, on].map((processor) => ({
      name: `${half.length} messages, tracing ${processor === on ? "always_on" : "off"}`,
      processor,
      traced: processor === on,
      messages: half.map((message) => message.toString("base64")),
      rounds: [],
    })),
  );
  const foreign = new ForeignLoad();
  let received = 0;
  for (let round = 0; round <= choose(effort, 6, 2); round += 1) {
    for (const { rounds, ...variant } of variants) {
      const measured = await foreign.during(() => play(client, variant, choose(effort, 1200, 400)));
      // The first rounds warm the compiler up; their spans are not counted either.
      if (round > 0) rounds.push(measured);
    }
    if (round === 0) {
      await sleep(exportSettlesMs);
      received = await spansAt(collector);
    }
  }
  await sleep(exportSettlesMs);
  received = (await spansAt(collector)) - received;
  return [tableOf(variants, received, foreign.share)];
}

async function play(client: Role, variant: Omit<Variant, "rounds">, forMs: number): Promise<Round> {
  const { processor, messages } = variant;
  const [cpu, clientCpu] = [cpuMicros(processor.pid), cpuMicros(client.pid)];
  const order = { port: processor.port, messages, concurrency, forMs };
  const load = await client.ask<Load>("load", order);
  return {
    load,
    cpu: (cpuMicros(processor.pid) - cpu) / load.streams,
    clientCpu: (cpuMicros(client.pid) - clientCpu) / load.streams,
  };
}

function tableOf(variants: readonly Variant[], received: number, foreign: number): Table {
  const expected =
    spansPerExchange *
    sum(
      variants.filter(({ traced }) => traced).flatMap(({ rounds }) => rounds.map(({ load }) => load.streams)),
    );
  const most = Math.max(...variants.map(({ rounds }) => 1e6 / best(rounds.map(({ cpu }) => cpu))));
  return {
    title: `streams: no classification, ${concurrency} streams at once, processor on one core`,
    columns: [
      "",
      "CPU µs/stream",
      "streams/s/core",
      "seen streams/s",
      "client CPU µs",
      "p50 ms",
      "p99 ms",
      "failed",
    ],
    rows: variants.map(({ name, rounds }) => {
      const cpu = best(rounds.map((round) => round.cpu));
      const ms = rounds.flatMap(({ load }) => load.ms);
      return [
        name,
        fixed(cpu, 1),
        fixed(1e6 / cpu),
        fixed(median(rounds.map(({ load }) => load.streams / load.seconds))),
        fixed(best(rounds.map(({ clientCpu }) => clientCpu)), 1),
        fixed(percentile(ms, 0.5), 2),
        fixed(percentile(ms, 0.99), 2),
        String(sum(rounds.map(({ load }) => load.failures))),
      ];
    }),
    notes: [
      `bar ${bar} streams/s/core: ${most >= bar ? "met" : "NOT met"} by the best row; spans that arrived ${percent(received / expected)}; foreign load ${percent(foreign)}`,
      ...foreignNote(foreign),
    ],
  };
}

/** What is measured must be the real thing: the answers route the request. */
async function checkAnswers(
  client: Role,
  processor: RunningProcessor,
  messages: readonly Buffer[],
): Promise<void> {
  const answers = await client.ask<string[]>("once", {
    port: processor.port,
    messages: messages.map((message) => message.toString("base64")),
  });
  const verdict = JSON.stringify(readAnswer(Buffer.from(answers[1] ?? "", "base64")));
  if (!verdict.includes("x-vsr-destination-endpoint"))
    throw new Error(`the processor did not route the bench's request: ${verdict}`);
}

const spansAt = async (collector: Role) => (await collector.ask<{ spans: number }>("received")).spans;
