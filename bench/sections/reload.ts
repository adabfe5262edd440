import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../test/support/ports.ts";
import { large } from "../lib/configs.ts";
import { ForeignLoad } from "../lib/cpu.ts";
import type { Load } from "../lib/load.ts";
import { exchange, usualRequest, usualResponse } from "../lib/messages.ts";
import { startProcessor } from "../lib/processor.ts";
import { type Role, startRole } from "../lib/role.ts";
import { median, percentile, sum } from "../lib/stats.ts";
import { fixed, type Table } from "../lib/table.ts";
import { choose, type Effort, foreignNote } from "./section.ts";
import { build } from "./start.ts";

const barMs = 200;
/** One exchange at a time leaves each of two cores half idle, four leave nothing. */
const concurrencies = [1, 4];
const windowMs = 2000;
/** The thread that reads configurations ends after ten idle seconds. */
const threadIdleMs = 11_000;

/**
 * A configuration of 200 categories reloaded while exchanges are under way, against the same load left alone. The model is
 * not asked: what a reload takes from exchanges would be lost in the time that it takes.
 */
export async function reload(effort: Effort): Promise<Table[]> {
  const folder = mkdtempSync(join(tmpdir(), "bench-reload-"));
  try {
    const main = build(folder);
    const adminPort = await freePort();
    const config = `${large(9, { collector: 0 })}admin: { listen: "127.0.0.1:${adminPort}", token: t }\n`;
    await using client = await startRole("ext-proc-client");
    await using processor = await startProcessor({
      config: unguarded(config),
      ...(main !== undefined && { main }),
    });
    const messages = exchange(usualRequest("model-0"), usualResponse).map((one) => one.toString("base64"));
    const target = { port: processor.port, adminPort, messages };
    const tables: Table[] = [];
    for (const concurrency of concurrencies)
      tables.push(await measure(client, target, concurrency, choose(effort, 3, 1), main !== undefined));
    return tables;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Target {
  readonly port: number;
  readonly adminPort: number;
  readonly messages: readonly string[];
}

async function measure(
  client: Role,
  { port, adminPort, messages }: Target,
  concurrency: number,
  rounds: number,
  built: boolean,
): Promise<Table> {
  const load = () => client.ask<Load>("load", { port, messages, concurrency, forMs: windowMs });
  const during = async () => {
    const under = load();
    await sleep(windowMs / 2);
    const ms = await reloadAt(adminPort);
    return { load: await under, ms };
  };
  const cold: number[] = [];
  const warm: number[] = [];
  const alone: Load[] = [];
  const reloaded: Load[] = [];
  const foreign = new ForeignLoad();
  await load();
  await foreign.during(async () => {
    for (let round = 0; round < rounds; round += 1) {
      // The thread has had its rest: each first reload of a round must start one.
      await sleep(threadIdleMs);
      for (const times of [cold, warm, warm]) {
        alone.push(await load());
        const one = await during();
        times.push(one.ms);
        reloaded.push(one.load);
      }
    }
  });
  const row = (name: string, loads: readonly Load[]) => {
    const ms = loads.flatMap((one) => [...one.ms]);
    return [
      name,
      fixed(percentile(ms, 0.5), 2),
      fixed(percentile(ms, 0.99), 2),
      fixed(percentile(ms, 0.999), 2),
      fixed(Math.max(...ms), 1),
      fixed(sum(loads.map(({ streams }) => streams)) / loads.length),
      String(sum(loads.map(({ failures }) => failures))),
    ];
  };
  const p99 = (loads: readonly Load[]) => median(loads.map(({ ms }) => percentile(ms, 0.99)));
  const worst = Math.max(...cold, ...warm);
  return {
    title: `reload: 200 categories, ${concurrency} at a time, windows of ${windowMs / 1000} s`,
    columns: ["", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "exchanges", "failed"],
    rows: [row("left alone", alone), row("one reload", reloaded)],
    notes: [
      `to the swap: ${fixed(median(cold))} ms with a thread that must start (worst ${fixed(Math.max(...cold))}), ${fixed(median(warm))} ms with one that runs (worst ${fixed(Math.max(...warm))}); bar ${barMs} ms: ${worst <= barMs ? "met" : "NOT met"}`,
      `p99 of a window with a reload over one without: ${fixed(p99(reloaded) / p99(alone), 2)}x`,
      built ? "as built" : "from the sources: the tree does not build",
      ...foreignNote(foreign.share),
    ],
  };
}

async function reloadAt(port: number): Promise<number> {
  const headers = { authorization: "Bearer t" };
  const response = await fetch(`http://127.0.0.1:${port}/reload`, { method: "POST", headers });
  const done = (await response.json()) as { applied: boolean; ms: number; error?: string };
  if (!done.applied) throw new Error(`not reloaded: ${done.error}`);
  return done.ms;
}

/** Without what asks the model for every exchange. */
const unguarded = (config: string): string =>
  config.replaceAll(/^(?:prompt_guard|classifier|semantic_cache):.*\n/gm, "");
