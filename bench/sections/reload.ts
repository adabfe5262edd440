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
import { startRole } from "../lib/role.ts";
import { median, percentile, sum } from "../lib/stats.ts";
import { fixed, type Table } from "../lib/table.ts";
import { choose, type Effort, foreignNote } from "./section.ts";
import { build } from "./start.ts";

const barMs = 200;
const concurrency = 4;
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
    const load = () =>
      client.ask<Load>("load", { port: processor.port, messages, concurrency, forMs: windowMs });
    const now = async () => {
      const response = await fetch(`http://127.0.0.1:${adminPort}/reload`, {
        method: "POST",
        headers: { authorization: "Bearer t" },
      });
      const done = (await response.json()) as { applied: boolean; ms: number; error?: string };
      if (!done.applied) throw new Error(`not reloaded: ${done.error}`);
      return done.ms;
    };
    const during = async () => {
      const under = load();
      await sleep(windowMs / 2);
      const ms = await now();
      return { load: await under, ms };
    };

    const foreign = new ForeignLoad();
    await load();
    const cold: number[] = [];
    const warm: number[] = [];
    const alone: Load[] = [];
    const reloaded: Load[] = [];
    await foreign.during(async () => {
      for (let round = 0; round < choose(effort, 4, 1); round += 1) {
        // Beyond the first one the thread has had its rest: each first reload of a round is one.
        if (round > 0) await sleep(threadIdleMs);
        const first = await during();
        cold.push(first.ms);
        reloaded.push(first.load);
        for (let i = 0; i < 2; i += 1) {
          alone.push(await load());
          const again = await during();
          warm.push(again.ms);
          reloaded.push(again.load);
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
    return [
      {
        title: `reload: 200 categories, ${concurrency} exchanges at once, windows of ${windowMs / 1000} s`,
        columns: ["", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "exchanges", "failed"],
        rows: [row("left alone", alone), row("one reload", reloaded)],
        notes: [
          `to the swap: ${fixed(median(cold))} ms with a thread that must start (worst ${fixed(Math.max(...cold))}), ${fixed(median(warm))} ms with one that runs; bar ${barMs} ms: ${worst <= barMs ? "met" : "NOT met"}`,
          `p99 of a window with a reload over one without: ${fixed(p99(reloaded) / p99(alone), 2)}x`,
          main === undefined ? "from the sources: the tree does not build" : "as built",
          ...foreignNote(foreign.share),
        ],
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Without what asks the model for every exchange. */
const unguarded = (config: string): string =>
  config.replaceAll(/^(?:prompt_guard|classifier|semantic_cache):.*\n/gm, "");
