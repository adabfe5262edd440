import { cpuMicros, ForeignLoad } from "../lib/cpu.ts";
import type { Load } from "../lib/load.ts";
import { exchange, readAnswer, requestHalf, usualRequest, usualResponse } from "../lib/messages.ts";
import { type Role, startRole } from "../lib/role.ts";
import { best } from "../lib/stats.ts";
import { fixed, percent, type Table } from "../lib/table.ts";
import { choose, type Effort, foreignNote } from "./section.ts";

const servers = [
  { name: "proto-loader's generated functions, grpc-js", codec: "generated", transport: "grpc-js" },
  { name: "own codec, grpc-js", codec: "own", transport: "grpc-js" },
  { name: "no codec, grpc-js (floor)", codec: "none", transport: "grpc-js" },
  { name: "own codec, node:http2 alone", codec: "own", transport: "node:http2" },
] as const;

interface Server {
  readonly role: Role;
  readonly port: number;
  readonly name: string;
  readonly cpu: Record<Size, number[]>;
}

const sizes = ["2", "4"] as const;
type Size = (typeof sizes)[number];

/** A processor that decides nothing, with one codec or another: same messages, same answers. */
export async function codec(effort: Effort): Promise<Table[]> {
  const whole = exchange(usualRequest("general-model"), usualResponse);
  const scripts = { "2": base64(requestHalf(whole)), "4": base64(whole) };
  await using stack = new AsyncDisposableStack();
  const client = stack.use(await startRole("ext-proc-client", { core: 1 }));
  const all: Server[] = [];
  for (const { name, ...how } of servers) {
    const role = stack.use(await startRole("echo-server", { core: 0 }));
    all.push({ role, port: await role.ask<number>("serve", how), name, cpu: { "2": [], "4": [] } });
  }
  await checkSameAnswers(client, all, scripts["4"]);

  const foreign = new ForeignLoad();
  for (let round = 0; round <= choose(effort, 5, 2); round += 1) {
    for (const size of sizes) {
      for (const { role, port, cpu } of all) {
        const before = cpuMicros(role.pid);
        const order = { port, messages: scripts[size], concurrency: 32, forMs: choose(effort, 800, 150) };
        const load = await foreign.during(() => client.ask<Load>("load", order));
        if (load.failures > 0) throw new Error("an echo server failed a stream");
        // The first round warms the compiler up.
        if (round > 0) cpu[size].push((cpuMicros(role.pid) - before) / load.streams);
      }
    }
  }
  const [generated, own] = all as [Server, Server];
  const saved = sizes.map(
    (size) => `${fixed(best(generated.cpu[size]) - best(own.cpu[size]), 1)} µs at ${size} messages`,
  );
  return [
    {
      title: "codec: CPU µs per stream of an ext_proc server that decides nothing, 32 streams, one core",
      columns: ["server", "2 messages", "streams/s/core", "4 messages", "streams/s/core"],
      rows: all.map(({ name, cpu }) => [
        name,
        ...sizes.flatMap((size) => [fixed(best(cpu[size]), 1), fixed(1e6 / best(cpu[size]))]),
      ]),
      notes: [
        `the own codec saves ${saved.join(", ")}; answers checked to be equal; foreign load ${percent(foreign.share)}`,
        ...foreignNote(foreign.share),
      ],
    },
  ];
}

const base64 = (messages: readonly Buffer[]) => messages.map((message) => message.toString("base64"));

async function checkSameAnswers(client: Role, all: readonly Server[], messages: string[]): Promise<void> {
  const said = await Promise.all(
    all.map(async ({ port }) => {
      const answers = await client.ask<string[]>("once", { port, messages });
      return JSON.stringify(answers.map((answer) => readAnswer(Buffer.from(answer, "base64"))));
    }),
  );
  if (new Set(said).size !== 1) throw new Error("the codecs under comparison do not give the same answers");
}
