import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { everything, unclassified } from "../lib/configs.ts";
import { ForeignLoad, residentMb } from "../lib/cpu.ts";
import type { Load } from "../lib/load.ts";
import { exchange, uncacheable, usualRequest } from "../lib/messages.ts";
import { startProcessor } from "../lib/processor.ts";
import { type Role, startRole } from "../lib/role.ts";
import { best, median } from "../lib/stats.ts";
import { fixed, percent, type Table } from "../lib/table.ts";
import { choose, type Effort, foreignNote } from "./section.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const exchanges = 2000;
const bars = { readyMs: 500, residentMb: 160 };

interface Started {
  readonly readyMs: number;
  readonly fresh: number;
  readonly used: number;
}

/** Start of the process to "ready", with nothing compiled yet and with all of it, and what it then occupies. */
export async function start(effort: Effort): Promise<Table[]> {
  const folder = mkdtempSync(join(tmpdir(), "bench-start-"));
  try {
    const built = choose(effort, true, false) ? build(folder) : undefined;
    await using client = await startRole("ext-proc-client");
    const foreign = new ForeignLoad();
    const telemetry = { collector: 0 };
    const rows: string[][] = [];
    const met = { ready: true, fresh: true, used: true };
    for (const [form, main] of [["src", undefined] as const, ...(built ? [["build", built] as const] : [])]) {
      for (const [name, config] of [
        ["all detectors", everything(9, telemetry)],
        ["no guards", unclassified(9, telemetry)],
      ] as const) {
        const all: { cold: Started[]; warm: Started[] } = { cold: [], warm: [] };
        for (let round = 0; round < choose(effort, 2, 1); round += 1) {
          const compileCache = join(folder, `compile-${form}-${name}-${round}`);
          for (const state of ["cold", "warm"] as const) {
            const options = { config, compileCache, ...(main !== undefined && { main }) };
            all[state].push(await foreign.during(() => once(client, options)));
          }
        }
        const warm = best(all.warm.map(({ readyMs }) => readyMs));
        const used = median(all.warm.map((one) => one.used));
        const fresh = median(all.warm.map((one) => one.fresh));
        met.ready &&= warm <= bars.readyMs;
        met.fresh &&= fresh <= bars.residentMb;
        met.used &&= used <= bars.residentMb;
        rows.push([
          `${form}, ${name}`,
          fixed(best(all.cold.map(({ readyMs }) => readyMs))),
          fixed(warm),
          fixed(fresh),
          fixed(used),
        ]);
      }
    }
    return [
      {
        title: "start: process start to ready, and resident memory",
        columns: ["", "cold ms", "warm ms", "MB at ready", `MB after ${exchanges}`],
        rows,
        notes: [
          `bar, in every row: ready in ${bars.readyMs} ms, warm: ${word(met.ready)}; ${bars.residentMb} MB at ready: ${word(met.fresh)}, after ${exchanges} exchanges: ${word(met.used)}; foreign load ${percent(foreign.share)}`,
          ...(built ? [] : ["no row for a build: --quick, or it does not compile"]),
          ...foreignNote(foreign.share),
        ],
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function once(client: Role, options: Parameters<typeof startProcessor>[0]): Promise<Started> {
  await using processor = await startProcessor(options);
  const fresh = residentMb(processor.pid);
  const messages = exchange(usualRequest("general-model"), uncacheable).map((one) => one.toString("base64"));
  const order = { port: processor.port, messages, concurrency: 4, forMs: 20_000, most: exchanges };
  const load = await client.ask<Load>("load", order);
  if (load.failures > 0) throw new Error("the processor failed a stream");
  return { readyMs: processor.readyMs, fresh, used: residentMb(processor.pid) };
}

const word = (met: boolean): string => (met ? "met" : "NOT met");

/** What a package would hold, in a folder of its own; undefined where it does not compile. */
export function build(folder: string): string | undefined {
  try {
    execFileSync(
      join(root, "node_modules", ".bin", "tsc"),
      ["-p", "tsconfig.build.json", "--outDir", join(folder, "dist")],
      {
        cwd: root,
        stdio: "ignore",
      },
    );
  } catch {
    return undefined;
  }
  for (const name of ["node_modules", "models", "proto", "package.json"])
    symlinkSync(join(root, name), join(folder, name));
  return join(folder, "dist", "main.js");
}
