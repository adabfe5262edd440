import { ForeignLoad } from "../lib/cpu.ts";
import type { Load } from "../lib/load.ts";
import { exchange, uncacheable } from "../lib/messages.ts";
import { chatBody, promptMaker } from "../lib/prompts.ts";
import { type Role, startRole } from "../lib/role.ts";
import { type Block, best, comparePaired, percentile } from "../lib/stats.ts";
import { fixed, percent, signed, type Table } from "../lib/table.ts";
import type { Mode } from "../processes/traced-server.ts";
import { choose, type Effort, foreignNote } from "./section.ts";

/** Small enough that both sides of a pair meet the same machine, large enough to reach a steady state. */
const blockSize = 25;

/** The bars are for exchanges of 1 ms and of 5 ms; how long the real encoder takes is the machine's matter. */
const exchanges = [
  { name: "real encoder, 32 tokens", tokens: 32, encoderMs: 0, barPercent: undefined },
  { name: "stand-in of 0.7 ms", tokens: 32, encoderMs: 0.7, barPercent: 1.5 },
  { name: "stand-in of 4.7 ms", tokens: 128, encoderMs: 4.7, barPercent: 0.8 },
];

interface Measured {
  readonly blocks: Block[];
  readonly cpuMicros: number;
  readonly exchanges: number;
}

/** Tracing on against off inside one process, from the body's arrival to the verdict; one client in another process. */
export async function tracing(effort: Effort): Promise<Table[]> {
  await using client = await startRole("ext-proc-client");
  await using collector = await startRole("collector");
  const otlp = await collector.ask<number>("port");
  const foreign = new ForeignLoad();
  const rows: string[][] = [];
  for (const one of exchanges) {
    await using server = await startRole("traced-server");
    const port = await server.ask<number>("start", { collector: otlp, encoderMs: one.encoderMs });
    const messages = exchange(chatBody("auto", promptMaker(one.tokens)()), uncacheable);
    const play = (mode: Mode, forMs: number) =>
      foreign.during(() => measure(client, server, port, messages, mode, forMs));
    await play("alternate", choose(effort, 2500, 500));
    const paired = comparePaired(even((await play("alternate", choose(effort, 12_000, 1200))).blocks));
    const apart: Record<"on" | "off", Measured[]> = { on: [], off: [] };
    for (let round = 0; round < choose(effort, 3, 1); round += 1) {
      for (const mode of ["off", "on"] as const)
        apart[mode].push(await play(mode, choose(effort, 2000, 300)));
    }
    rows.push([one.name, ...pairedCells(paired, one.barPercent), ...apartCells(apart)]);
  }
  const states = await compareStates(effort, client, otlp, foreign);
  const { spans } = await collector.ask<{ spans: number }>("received");
  if (spans === 0) throw new Error("no span arrived at the collector: tracing was not on");
  return [
    {
      title: "tracing: always_on against off in one process, body received to verdict written, one client",
      columns: [
        "",
        "off ms",
        "on ms",
        "µs",
        "difference",
        "95 % interval",
        "bar",
        "p99 off",
        "p99 on",
        "CPU µs off",
        "CPU µs on",
      ],
      rows,
      notes: [
        `ms: mean of the lower 90 % in alternating blocks of ${blockSize}; p99 and CPU from separate stretches, export included`,
        `${spans} spans arrived at the collector; foreign load ${percent(foreign.share)}`,
        ...foreignNote(foreign.share),
      ],
    },
    states,
  ];
}

const stateNames: readonly (readonly [mode: Mode, name: string])[] = [
  ["off", "off"],
  ["on", "always_on"],
  ["tenth", "10 % sampled"],
  ["down", "always_on, collector down"],
  ["silent", "always_on, collector silent"],
];

/** The same exchange with the sampler and the collector in every state; rounds take turns. */
async function compareStates(
  effort: Effort,
  client: Role,
  otlp: number,
  foreign: ForeignLoad,
): Promise<Table> {
  await using server = await startRole("traced-server");
  const port = await server.ask<number>("start", { collector: otlp, encoderMs: 0.7 });
  const messages = exchange(chatBody("auto", promptMaker(32)()), uncacheable);
  const measured = new Map<Mode, Measured[]>(stateNames.map(([mode]) => [mode, []]));
  for (let round = 0; round < choose(effort, 6, 2); round += 1) {
    for (const [mode] of stateNames) {
      const one = await foreign.during(() =>
        measure(client, server, port, messages, mode, choose(effort, 2500, 300)),
      );
      if (round > 0) measured.get(mode)?.push(one);
    }
  }
  const figures = stateNames.map(([mode, name]) => {
    const rounds = measured.get(mode) ?? [];
    const ms = rounds.flatMap(({ blocks }) => blocks.flatMap((block) => block.ms));
    return {
      name,
      p50: percentile(ms, 0.5),
      p99: percentile(ms, 0.99),
      cpu: best(rounds.map(({ cpuMicros, exchanges: count }) => cpuMicros / count)),
    };
  });
  const off = figures[0]!;
  return {
    title: "tracing: what it costs by sampler and collector, stand-in of 0.7 ms, one client",
    columns: ["", "p50 ms", "p99 ms", "CPU µs", "CPU µs over off", "p50 over off"],
    rows: figures.map(({ name, p50, p99, cpu }) => [
      name,
      fixed(p50, 3),
      fixed(p99, 2),
      fixed(cpu),
      fixed(cpu - off.cpu),
      `${fixed((p50 / off.p50 - 1) * 100, 1)} %`,
    ]),
    notes: [
      "CPU of the whole process, the sending thread included, best round; 9 spans an exchange",
      `foreign load ${percent(foreign.share)}`,
    ],
  };
}

async function measure(
  client: Role,
  server: Role,
  port: number,
  messages: readonly Buffer[],
  mode: Mode,
  forMs: number,
): Promise<Measured> {
  await server.ask("measure", { mode, blockSize });
  const script = messages.map((message) => message.toString("base64"));
  const load = await client.ask<Load>("load", { port, messages: script, concurrency: 1, forMs });
  if (load.failures > 0) throw new Error("the traced server failed a stream");
  return await server.ask<Measured>("measured");
}

/** The last block is cut short, and each needs its partner. */
const even = (blocks: Block[]): Block[] => blocks.slice(0, Math.floor((blocks.length - 1) / 2) * 2);

function pairedCells(paired: ReturnType<typeof comparePaired>, barPercent: number | undefined): string[] {
  const { offMean, onMean, difference, low, high } = paired;
  return [
    fixed(offMean, 3),
    fixed(onMean, 3),
    fixed((onMean - offMean) * 1000),
    signed(difference),
    `${signed(low)} to ${signed(high)}`,
    barPercent === undefined ? "-" : `${barPercent} %: ${verdict(low, high, barPercent / 100)}`,
  ];
}

/** An interval that holds the bar proves neither. */
function verdict(low: number, high: number, bar: number): string {
  if (high <= bar) return "met";
  return low > bar ? "NOT met" : "open";
}

function apartCells({ on, off }: Record<"on" | "off", Measured[]>): string[] {
  const p99 = (all: Measured[]) =>
    percentile(
      all.flatMap(({ blocks }) => blocks.flatMap(({ ms }) => ms)),
      0.99,
    );
  const cpu = (all: Measured[]) => best(all.map(({ cpuMicros, exchanges: count }) => cpuMicros / count));
  return [fixed(p99(off), 2), fixed(p99(on), 2), fixed(cpu(off)), fixed(cpu(on))];
}
