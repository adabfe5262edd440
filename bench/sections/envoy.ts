import { everything, unclassified } from "../lib/configs.ts";
import { cpuMicros, ForeignLoad } from "../lib/cpu.ts";
import { envoyAlone, envoyWithProcessor, type MeasuredEnvoy } from "../lib/envoys.ts";
import { drive, post, type Run } from "../lib/http-client.ts";
import { type RunningProcessor, startProcessor } from "../lib/processor.ts";
import { chatBody, promptMaker } from "../lib/prompts.ts";
import { startRole } from "../lib/role.ts";
import { best, percentile, sum } from "../lib/stats.ts";
import { fixed, percent, type Table } from "../lib/table.ts";
import { choose, type Effort, foreignNote } from "./section.ts";

interface Scenario {
  readonly name: string;
  readonly config: "unclassified" | "everything";
  next(): Buffer;
}

interface Sample {
  readonly run: Run;
  readonly envoyCpu: number;
  readonly processorCpu: number;
}

/** One side of the comparison: Envoy alone, or Envoy with the router. */
interface Side {
  readonly envoy: MeasuredEnvoy;
  readonly processor: RunningProcessor | undefined;
}

const clientCounts = [1, 16] as const;

function scenarios(): Scenario[] {
  const [short, long] = [promptMaker(32), promptMaker(128)];
  let asked = 0;
  // The number keeps each prompt from being one the cache has seen.
  const fresh = (make: () => string) => {
    asked += 1;
    return post(chatBody("auto", `${make()} Case ${asked.toString(36)}.`));
  };
  const same = post(chatBody("auto", `${promptMaker(32)()} Always the same question.`));
  const specified = post(chatBody("general-model", promptMaker(32)()));
  const stream = post(chatBody("general-model", promptMaker(32)(), true));
  return [
    { name: "specified model, no guards", config: "unclassified", next: () => specified },
    { name: "specified model, SSE, 20 chunks", config: "unclassified", next: () => stream },
    { name: "auto, all detectors, 32 tokens", config: "everything", next: () => fresh(short) },
    { name: "auto, all detectors, 128 tokens", config: "everything", next: () => fresh(long) },
    { name: "auto, cache hit, 32 tokens", config: "everything", next: () => same },
  ];
}

/** Envoy alone against Envoy with the router, in alternating rounds on the same machine in the same minute. */
export async function envoy(effort: Effort): Promise<Table[]> {
  await using upstream = await startRole("upstream");
  await using collector = await startRole("collector");
  const at = await upstream.ask<number>("port");
  const telemetry = { collector: await collector.ask<number>("port") };
  await using alone = await envoyAlone(at);
  const foreign = new ForeignLoad();
  const rows: string[][] = [];
  const oddities: string[] = [];
  for (const config of ["unclassified", "everything"] as const) {
    const text = config === "unclassified" ? unclassified(at, telemetry) : everything(at, telemetry);
    await using processor = await startProcessor({ config: text });
    await using routed = await envoyWithProcessor(at, processor.port);
    const sides: Side[] = [
      { envoy: alone, processor: undefined },
      { envoy: routed, processor },
    ];
    for (const scenario of scenarios().filter((one) => one.config === config)) {
      for (const side of sides) await sample(side, scenario, 16, choose(effort, 1500, 250));
      for (const clients of clientCounts) {
        const samples: [Sample[], Sample[]] = [[], []];
        for (let round = 0; round < choose(effort, 4, 2); round += 1) {
          for (const [i, side] of sides.entries())
            samples[i]!.push(
              await foreign.during(() => sample(side, scenario, clients, choose(effort, 1000, 200))),
            );
        }
        rows.push(row(scenario.name, clients, ...samples));
        oddities.push(...odd(scenario.name, clients, samples[1]));
      }
    }
  }
  return [table(rows, oddities, foreign.share)];
}

async function sample(
  { envoy, processor }: Side,
  scenario: Scenario,
  clients: number,
  ms: number,
): Promise<Sample> {
  const cpu = () => [cpuMicros(envoy.pid), processor ? cpuMicros(processor.pid) : 0] as const;
  const before = cpu();
  const run = await drive(envoy.port, clients, ms, scenario.next);
  const after = cpu();
  return {
    run,
    envoyCpu: (after[0] - before[0]) / run.ms.length,
    processorCpu: (after[1] - before[1]) / run.ms.length,
  };
}

function row(name: string, clients: number, alone: Sample[], routed: Sample[]): string[] {
  const ms = (samples: Sample[], share: number) =>
    percentile(
      samples.flatMap(({ run }) => run.ms),
      share,
    );
  const cpu = {
    alone: best(alone.map(({ envoyCpu }) => envoyCpu)),
    envoy: best(routed.map(({ envoyCpu }) => envoyCpu)),
    processor: best(routed.map(({ processorCpu }) => processorCpu)),
  };
  return [
    name,
    String(clients),
    fixed(ms(alone, 0.5), 2),
    fixed(ms(routed, 0.5), 2),
    fixed(ms(routed, 0.5) - ms(alone, 0.5), 2),
    fixed(ms(routed, 0.99) - ms(alone, 0.99), 2),
    fixed(cpu.alone),
    fixed(cpu.envoy),
    fixed(cpu.processor),
    `${fixed((cpu.envoy + cpu.processor) / cpu.alone, 1)}x`,
  ];
}

/** A row that measured something else than its name says must say so. */
function odd(name: string, clients: number, samples: readonly Sample[]): string[] {
  const all = sum(samples.map(({ run }) => run.ms.length));
  const hits = sum(samples.map(({ run }) => run.cacheHits)) / all;
  const failed = new Map<number, number>();
  for (const { run } of samples)
    for (const [status, count] of run.failures) failed.set(status, (failed.get(status) ?? 0) + count);
  const where = `${name}, ${clients} clients`;
  return [
    ...[...failed].map(([status, count]) => `${where}: status ${status} in ${percent(count / all)}`),
    ...(name.includes("hit") ? (hits < 0.99 ? [`${where}: only ${percent(hits)} hits`] : []) : []),
    ...(name.includes("all detectors") && hits > 0 ? [`${where}: ${percent(hits)} cache hits`] : []),
  ];
}

function table(rows: string[][], oddities: string[], foreign: number): Table {
  return {
    title: "envoy: Envoy with the router against Envoy alone, tracing always_on, ms and CPU µs per exchange",
    columns: [
      "",
      "clients",
      "alone p50",
      "routed p50",
      "added p50",
      "added p99",
      "Envoy alone µs",
      "Envoy µs",
      "processor µs",
      "CPU ratio",
    ],
    rows,
    notes: [
      `foreign load ${percent(foreign)}; client, Envoy, processor, upstream and collector share the cores`,
      ...oddities,
      ...foreignNote(foreign),
    ],
  };
}
