import assert from "node:assert/strict";
import { type Cell, cells, seedCell } from "./cell.ts";
import { checkTrace } from "./check.ts";
import type { Column } from "./columns.ts";
import { type Held, hold, type Played, play, played } from "./play.ts";
import { eventually, type Stage, startStage } from "./stage.ts";

/** What a cell's trace says of its end, or the reason why it says something else than it should. */
export type Result = { readonly cell: Cell; readonly says: string; readonly wrong?: unknown };

const drainSeconds = 3;

/** Plays every cell that can happen. @param log whether Envoy's access log goes to the router. */
export async function runMatrix(log: boolean): Promise<Result[]> {
  const all = cells(log);
  const of = (name: Column["name"]) => all.filter(({ column }) => column.name === name);
  const stops = all.filter(({ column }) => column.name.startsWith("processor stops"));
  const first = await onStage(log, 20, async (stage) => {
    const ends = [await sow(stage, log)];
    const free = all.filter(({ column: { client } }) => client !== "held" && client !== "half");
    ends.push(...(await Promise.all(free.map((cell) => played(cell, play(cell, stage))))));

    const halves = await hold(of("client gone before its body is complete"), stage);
    ends.push(...(await Promise.all(halves.map(({ cell, client }) => played(cell, client.leave())))));

    const overReload = await hold(of("configuration reloads in flight"), stage);
    await stage.reload();
    ends.push(...(await finish(overReload)));

    const overDrain = await hold(of("Envoy drains"), stage);
    const drain = `http://127.0.0.1:${stage.envoy.adminPort}/drain_listeners?graceful`;
    assert.equal((await fetch(drain, { method: "POST" })).status, 200);
    ends.push(...(await finish(overDrain)));

    const cut = await hold(of("Envoy ends"), stage);
    await stage.envoy.stop();
    ends.push(...(await seenBy(cut)));
    return ends;
  });
  const second = await onStage(log, drainSeconds, async (stage) => {
    const seed = await sow(stage, log);
    const held = await hold(stops, stage);
    const inTime = held.filter(({ cell }) => cell.column.name.endsWith("in time"));
    const late = held.filter((one) => !inTime.includes(one));
    stage.router.terminate();
    await stage.router.said("stopping");
    const ends = await finish(inTime);
    return [seed, ...ends, ...(await seenBy(late))];
  });
  return [...first, ...second];
}

/** The first exchange: it fills the cache, and with its end Envoy opens its log. */
function sow(stage: Stage, log: boolean): Promise<Played> {
  const seed = seedCell(log);
  return played(seed, play(seed, stage));
}

function finish(held: readonly Held[]): Promise<Played[]> {
  for (const one of held) one.release();
  return seenBy(held);
}

const seenBy = (held: readonly Held[]): Promise<Played[]> =>
  Promise.all(held.map(({ cell, client }) => played(cell, client.finish())));

/** Plays on a stage of its own, then takes it down and checks every trace, and that there is nothing else. */
async function onStage(
  log: boolean,
  drain: number,
  playOn: (stage: Stage) => Promise<Played[]>,
): Promise<Result[]> {
  await using stage = await startStage(log, drain);
  const { receiver, router } = stage;
  const ends = await playOn(stage);
  router.terminate();
  await router.ended();
  const stopped = await router.said("stopped");
  // Sent is not yet read, over here.
  const counts = stopped.spans as { exported: number; failed: number; dropped: number };
  await eventually("all that was exported is here", () => receiver.spans.length >= counts.exported);

  const results = ends.map((end): Result => {
    const { cell } = end;
    if ("wrong" in end) return { ...end, says: "wrong" };
    const { seen } = end;
    try {
      const spans = receiver.spans.filter(({ traceId }) => traceId === cell.traceId);
      return { cell, says: checkTrace(cell, seen, spans, log) };
    } catch (wrong) {
      return { cell, says: "wrong", wrong };
    }
  });
  const roots = receiver.spans.filter(({ name }) => name === "semantic_router.request.received");
  assert.equal(roots.length, ends.length, "one root for each exchange, and no other");
  assert.equal(new Set(receiver.spans.map(({ spanId }) => spanId)).size, receiver.spans.length);
  assert.equal(receiver.spans.length, counts.exported);
  assert.deepEqual([counts.failed, counts.dropped], [0, 0]);
  for (const line of router.log().trim().split("\n"))
    assert.ok((JSON.parse(line) as { level: number }).level < 50, `the router logged an error: ${line}`);
  return results;
}
