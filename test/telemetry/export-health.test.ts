import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import type { Tracing } from "../../src/telemetry/tracing.ts";
import { finished, startWith } from "../support/tracing.ts";

const finish = (tracing: Tracing, exchanges: number, stages = 0) => {
  for (let i = 0; i < exchanges; i++) tracing.finish(finished(tracing, stages));
};
const macrotasks = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
};

test("a full queue drops the newest exchange, whole, and counts its spans", async () => {
  const { tracing, spans } = startWith();
  finish(tracing, 2048);
  assert.deepEqual(tracing.health, { exported: 0, failed: 0, dropped: 0, queued: 2048 });
  const late = finished(tracing, 3);
  tracing.finish(late);
  assert.equal(tracing.health.dropped, 4);
  await tracing.shutdown(1000);
  assert.deepEqual(tracing.health, { exported: 2048, failed: 0, dropped: 4, queued: 0 });
  assert.equal(
    spans.some((span) => span.spanContext().traceId === late.identity.traceId),
    false,
  );
});

test("batches of 32 exchanges go out at once, the rest waits for company", async () => {
  const { tracing, spans } = startWith();
  finish(tracing, 31);
  await macrotasks(3);
  assert.equal(spans.length, 0);
  finish(tracing, 34);
  await macrotasks(5);
  assert.deepEqual([spans.length, tracing.health.queued], [64, 1]);
  await tracing.shutdown(1000);
  assert.equal(tracing.health.exported, 65);
});

test("a collector that hangs holds so many batches, then the queue fills, then spans are dropped", async () => {
  const waiting: (() => void)[] = [];
  const { tracing, spans } = startWith({ exportTo: (_, done) => waiting.push(() => done({ code: 0 })) });
  for (let i = 0; i < 200; i++) {
    finish(tracing, 32);
    await macrotasks(1);
  }
  const held = spans.length;
  assert.equal(held, 16 * 32);
  assert.equal(tracing.health.queued, 2048);
  assert.equal(tracing.health.dropped, 200 * 32 - 2048 - held);

  // It answers again: all that waited goes out, nothing more is lost.
  while (waiting.length > 0) {
    for (const answer of waiting.splice(0)) answer();
    await macrotasks(3);
  }
  await tracing.shutdown(1000);
  assert.deepEqual([tracing.health.exported, tracing.health.queued], [2048 + held, 0]);
});

test("failures are counted each and told once in ten seconds, with how many", async (t) => {
  let now = 1_000_000;
  t.mock.method(performance, "now", () => now);
  const { tracing, warnings } = startWith({
    exportTo: (_, done) => done({ code: 1, error: new Error("14 UNAVAILABLE") }),
  });
  for (const step of [0, 1, 9_998, 1, 1]) {
    now += step;
    finish(tracing, 1, 1);
    await tracing.shutdown(0);
  }
  assert.equal(tracing.health.failed, 10);
  assert.deepEqual(warnings, [
    "Failed to export spans: 14 UNAVAILABLE (2 spans lost since the last such line)",
    "Failed to export spans: 14 UNAVAILABLE (6 spans lost since the last such line)",
  ]);
});

describe("an exporter that breaks harms nobody", () => {
  const cases: readonly [string, Parameters<typeof startWith>[0], string, number][] = [
    ["no reason given", { exportTo: (_, done) => done({ code: 1 }) }, "the exporter gave no reason", 1],
    [
      "it throws",
      {
        exportTo: () => {
          throw new TypeError("no such thing");
        },
      },
      "no such thing",
      1,
    ],
    ["it cannot be shut down", { shutdown: () => Promise.reject(new Error("stuck")) }, "stuck", 0],
  ];
  for (const [name, options, cause, lost] of cases) {
    test(name, async () => {
      const { tracing, warnings } = startWith(options);
      finish(tracing, 1);
      await tracing.shutdown(1000);
      assert.equal(tracing.health.failed, lost);
      assert.deepEqual(warnings, [
        `Failed to export spans: ${cause} (${lost} spans lost since the last such line)`,
      ]);
    });
  }
});

describe("shutdown", () => {
  test("exports all that waits, waits for what is under way, then stops the exporter", async () => {
    const steps: string[] = [];
    const { tracing } = startWith({
      exportTo: (batch, done) =>
        setImmediate(() => {
          steps.push(`exported ${batch.length}`);
          done({ code: 0 });
        }),
      shutdown: async () => {
        steps.push("stopped");
      },
    });
    finish(tracing, 40, 1);
    await tracing.shutdown(10_000);
    assert.deepEqual(steps, ["exported 64", "exported 16", "stopped"]);
  });

  test("does not send more at once than it would otherwise", async () => {
    let open = 0;
    let most = 0;
    const { tracing } = startWith({
      exportTo: (_, done) => {
        most = Math.max(most, ++open);
        setImmediate(() => {
          open--;
          done({ code: 0 });
        });
      },
    });
    finish(tracing, 2048);
    await tracing.shutdown(10_000);
    assert.equal(most, 16);
    assert.equal(tracing.health.exported, 2048);
  });

  test("ends at its deadline when the exporter hangs, and does not reject", async () => {
    for (const hanging of [
      { exportTo: () => {} },
      { shutdown: () => new Promise<void>(() => {}) },
    ] satisfies Parameters<typeof startWith>[0][]) {
      const { tracing } = startWith(hanging);
      finish(tracing, 1);
      await tracing.shutdown(10);
    }
  });

  test("the deadline holds a process that has nothing else to wait for", () => {
    const support = JSON.stringify(new URL("../support/tracing.ts", import.meta.url).href);
    const script = `
      const { finished, startWith } = await import(${support});
      const { tracing } = startWith({ exportTo: () => {} });
      tracing.finish(finished(tracing));
      await tracing.shutdown(10);
      console.log("over");`;
    const ran = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    assert.deepEqual([ran.status, ran.stdout], [0, "over\n"], ran.stderr);
  });

  test("with tracing off it is over at once", async () => {
    const { tracing } = startWith({ exporting: false });
    await tracing.shutdown(60_000);
  });
});

test("spans whose answer never came are counted and told when time is up", async () => {
  const { tracing, warnings } = startWith({ exportTo: () => {} });
  tracing.finish(finished(tracing, 2));
  await tracing.shutdown(20);
  assert.equal(tracing.health.failed, 3);
  assert.match(warnings[0] ?? "", /Failed to export spans: no answer before the end \(3 spans/);
});
