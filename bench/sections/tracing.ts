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
  ];
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
