import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { everything } from "../lib/configs.ts";
import { ForeignLoad, residentMb } from "../lib/cpu.ts";
import { type Late, latenessTable, nameOf, type Rounds, speedTable } from "../lib/inference-tables.ts";
import { machineFacts } from "../lib/machine.ts";
import { startProcessor } from "../lib/processor.ts";
import { type Role, startRole } from "../lib/role.ts";
import { best, median } from "../lib/stats.ts";
import { fixed, percent, type Table } from "../lib/table.ts";
import { languages } from "../lib/texts.ts";
import type { Served, Setup } from "../processes/inference.ts";
import { choose, type Effort, foreignNote } from "./section.ts";

const setups: readonly Setup[] = [
  { workers: 1, threads: 1 },
  { workers: 1, threads: 2 },
  { workers: 2, threads: 1 },
];
const clientCounts = [1, 4];
const bars = { readyMs: 500, residentMb: 256 };

interface Running {
  readonly setup: Setup;
  readonly role: Role;
  readonly readyMs: number;
}

/** The embedded model alone: how long, how much CPU, how many; its tokenizer; what it does to the event loop; its size. */
export async function inference(effort: Effort): Promise<Table[]> {
  await using stack = new AsyncDisposableStack();
  const all: Running[] = [];
  for (const setup of setups) {
    const role = stack.use(await startRole("inference"));
    all.push({ setup, role, readyMs: await role.ask<number>("start", setup) });
  }
  const [single] = all as [Running];
  return [
    await speed(effort, all),
    await tokenizer(effort, single.role),
    await lateness(effort, single.role),
    await size(effort, all),
  ];
}

async function speed(effort: Effort, all: readonly Running[]): Promise<Table> {
  const foreign = new ForeignLoad();
  const rows: (Rounds & { readonly role: Role })[] = choose(
    effort,
    [16, 32, 64, 128, 256, 512],
    [16, 128, 512],
  ).flatMap((tokens) =>
    all.map(({ setup, role }) => ({
      tokens,
      setup,
      role,
      served: new Map(clientCounts.map((n) => [n, []])),
    })),
  );
  for (let round = 0; round <= choose(effort, 4, 1); round += 1) {
    for (const { role, tokens, served } of rows) {
      for (const clients of clientCounts) {
        const order = { language: "English", tokens, clients, forMs: choose(effort, 400, 40) };
        const one = await foreign.during(() => role.ask<Served>("load", order));
        // The first round warms the compiler up, and every worker.
        if (round > 0) served.get(clients)!.push(one);
      }
    }
  }
  return speedTable(rows, [
    ...(await machineFacts(false)).slice(0, 1),
    `CPU of the whole process, hop to the worker and recognisers included; texts are all different; foreign load ${percent(foreign.share)}`,
    ...foreignNote(foreign.share),
  ]);
}

async function tokenizer(effort: Effort, role: Role): Promise<Table> {
  const rows: string[][] = [];
  for (const language of languages) {
    for (const tokens of choose(effort, [32, 128, 512], [128])) {
      const { warm, cold } = await role.ask<{ warm: number; cold: number }>("tokenise", { language, tokens });
      rows.push([
        `${tokens} tokens, ${language}`,
        fixed(warm, 1),
        fixed((warm * 1000) / tokens),
        fixed(cold),
      ]);
    }
  }
  return {
    title: "inference: the tokenizer, µs for a text",
    columns: ["", "words known", "ns/token", "no word known"],
    rows,
    notes: ["best of 20 rounds over 64 texts; no word known: median of 5 fresh tokenizers, compiled code"],
  };
}

async function lateness(effort: Effort, role: Role): Promise<Table> {
  const foreign = new ForeignLoad();
  const rows: Late[] = [];
  for (const tokens of choose(effort, [32, 128, 512], [128])) {
    const reads = { language: "English", tokens };
    const full = await role.ask<Served>("load", { ...reads, clients: 4, forMs: choose(effort, 2000, 100) });
    const perSecond = full.ms.length / full.seconds / 2;
    const late: Record<"busy" | "idle", number[]> = { busy: [], idle: [] };
    for (let round = 0; round < choose(effort, 5, 1); round += 1) {
      for (const how of ["idle", "busy"] as const) {
        const order = { ...reads, perSecond, forMs: choose(effort, 4000, 300), reading: how === "busy" };
        late[how].push(await foreign.during(() => role.ask<number>("lateness", order)));
      }
    }
    rows.push({ tokens, perSecond, ...late });
  }
  return latenessTable(rows, [`foreign load ${percent(foreign.share)}`, ...foreignNote(foreign.share)]);
}

async function size(effort: Effort, all: readonly Running[]): Promise<Table> {
  const rows = all.map(({ setup, role, readyMs }) => [
    `encoder alone, ${nameOf(setup)}`,
    fixed(readyMs),
    fixed(residentMb(role.pid)),
  ]);
  const product = { ready: [] as number[], resident: [] as number[] };
  for (let round = 0; round < choose(effort, 4, 1); round += 1) {
    const compileCache = mkdtempSync(join(tmpdir(), "bench-inference-"));
    try {
      const config = everything(9, { collector: 0 });
      await using processor = await startProcessor({ config, compileCache });
      product.ready.push(processor.readyMs);
      product.resident.push(residentMb(processor.pid));
    } finally {
      rmSync(compileCache, { recursive: true, force: true });
    }
  }
  rows.push(["processor, all detectors", fixed(best(product.ready)), fixed(median(product.resident))]);
  const ready = best(product.ready) <= bars.readyMs;
  const resident = median(product.resident) <= bars.residentMb;
  return {
    title: "inference: start of the process to ready, nothing compiled before, and resident memory",
    columns: ["", "ready ms", "MB"],
    rows,
    notes: [
      `bar for the processor: ${bars.readyMs} ms: ${ready ? "met" : "NOT met"}, ${bars.residentMb} MB: ${resident ? "met" : "NOT met"}`,
      "MB of the encoder alone after all the requests above, of the processor when it is ready",
    ],
  };
}
