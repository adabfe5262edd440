import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import type { Exported } from "../../src/telemetry/trace-exporter.ts";
import type { Tracing } from "../../src/telemetry/tracing.ts";
import { all, finished, none, startWith } from "../support/tracing.ts";

const finish = (tracing: Tracing, exchanges: number, stages = 0) => {
  for (let i = 0; i < exchanges; i++) tracing.finish(finished(tracing, stages));
};
const macrotasks = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
};
const counts = ({ health: { exported, failed, dropped, queued, queuedBytes } }: Tracing) => ({
  exported,
  failed,
  dropped,
  queued,
  queuedBytes,
});

test("a full queue drops the newest exchange, whole, and counts its spans by reason", async () => {
  const { tracing, spans, told } = startWith({ changes: { queue: { maxSpans: 100, maxBytes: 1e6 } } });
  finish(tracing, 50, 1);
  assert.equal(tracing.health.queued, 100);
  const late = finished(tracing, 3);
  tracing.finish(late);
  assert.equal(tracing.health.dropped, 4);
  await tracing.shutdown(1000);
  assert.deepEqual(counts(tracing), { exported: 100, failed: 0, dropped: 4, queued: 0, queuedBytes: 0 });
  assert.deepEqual(tracing.health.lost, { queue_full: 4 });
  assert.match(told[0] ?? "", /^warn: Failed to export spans: the queue is full/);
  assert.equal(
    spans.some((span) => span.spanContext().traceId === late.identity.traceId),
    false,
  );
});

test("the queue is bounded by bytes as well, and what was handed on counts until its answer", async () => {
  const waiting: (() => void)[] = [];
  const { tracing } = startWith({
    changes: { queue: { maxSpans: 1e6, maxBytes: 1000 } },
    exportTo: (traces, done) => {
      waiting.push(() => done(all(traces)));
      return 600;
    },
  });
  for (let i = 0; i < 3; i++) {
    finish(tracing, 32);
    await macrotasks(2);
  }
  assert.deepEqual(counts(tracing), { exported: 0, failed: 0, dropped: 32, queued: 64, queuedBytes: 1200 });
  assert.deepEqual(tracing.health.lost, { queue_bytes: 32 });
  for (const answer of waiting) answer();
  finish(tracing, 32);
  await macrotasks(2);
  assert.deepEqual(counts(tracing), { exported: 64, failed: 0, dropped: 32, queued: 32, queuedBytes: 600 });
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

test("failures are counted each and told once in ten seconds, with how many; so is the recovery", async (t) => {
  let now = 1_000_000;
  t.mock.method(performance, "now", () => now);
  let works = false;
  const { tracing, told } = startWith({
    exportTo: (traces, done) =>
      done(works ? all(traces) : none(traces, "unavailable", "14 UNAVAILABLE: nobody there")),
  });
  for (const step of [0, 1, 9_998, 1, 1]) {
    now += step;
    finish(tracing, 1, 1);
    await tracing.shutdown(0);
  }
  assert.equal(tracing.health.failed, 10);
  assert.deepEqual(tracing.health.lost, { unavailable: 10 });
  assert.equal(tracing.health.lastError?.message, "14 UNAVAILABLE: nobody there");
  assert.equal(tracing.health.lastSuccessAt, undefined);
  works = true;
  finish(tracing, 2);
  await tracing.shutdown(0);
  assert.ok(tracing.health.lastSuccessAt);
  assert.deepEqual(told, [
    "warn: Failed to export spans: 14 UNAVAILABLE: nobody there (2 spans lost since the last such line)",
    "warn: Failed to export spans: 14 UNAVAILABLE: nobody there (6 spans lost since the last such line)",
    "info: Exporting spans again (10 spans lost so far)",
  ]);
});

describe("an exporter that breaks harms nobody", () => {
  const cases: readonly [string, Parameters<typeof startWith>[0], string, number][] = [
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
      const { tracing, told } = startWith(options);
      finish(tracing, 1);
      await tracing.shutdown(1000);
      assert.equal(tracing.health.failed, lost);
      assert.deepEqual(told, [
        `warn: Failed to export spans: ${cause} (${lost} spans lost since the last such line)`,
      ]);
    });
  }

  test("it answers twice: the first answer counts", async () => {
    const { tracing } = startWith({
      exportTo: (traces, done) => {
        done(all(traces));
        done(none(traces, "again", "again"));
      },
    });
    finish(tracing, 1);
    await tracing.shutdown(0);
    assert.deepEqual(counts(tracing), { exported: 1, failed: 0, dropped: 0, queued: 0, queuedBytes: 0 });
  });
});

describe("shutdown", () => {
  test("hands on all that waits, then stops the exporter and gives it the time there is", async () => {
    const steps: string[] = [];
    const { tracing } = startWith({
      exportTo: (traces, done) => {
        steps.push(`exported ${all(traces).exported}`);
        done(all(traces));
      },
      shutdown: async (deadlineMs) => {
        steps.push(`stopped within ${deadlineMs}`);
      },
    });
    finish(tracing, 40, 1);
    await tracing.shutdown(10_000);
    assert.deepEqual(steps, ["exported 64", "exported 16", "stopped within 10000"]);
  });

  test("spans whose answer never came are counted and told", async () => {
    const answers: ((result: Exported) => void)[] = [];
    const { tracing, told } = startWith({
      exportTo: (_, done) => {
        answers.push(done);
      },
    });
    tracing.finish(finished(tracing, 2));
    await tracing.shutdown(20);
    assert.deepEqual(counts(tracing), { exported: 0, failed: 3, dropped: 0, queued: 0, queuedBytes: 0 });
    assert.deepEqual(tracing.health.lost, { shutdown: 3 });
    assert.match(told[0] ?? "", /Failed to export spans: no answer before the end \(3 spans/);
  });

  test("waits for nothing that is not there: the process ends", () => {
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

test("idle: once every exchange that was begun is finished, sampled or not", async () => {
  const { tracing } = startWith({
    changes: { sampling: { type: "always_off", rate: 1, parent_based: true } },
  });
  await tracing.idle();
  const one = tracing.begin("root", undefined, undefined);
  const two = tracing.begin("root", undefined, undefined);
  let idle = false;
  const over = tracing.idle().then(() => {
    idle = true;
  });
  tracing.finish(one);
  await macrotasks(2);
  assert.equal(idle, false);
  tracing.finish(two);
  await over;
});

test("a finished exchange is changed before it is exported, if it is recorded", async () => {
  const { tracing, spans } = startWith({ finishing: (trace) => trace.root.set("late", true) });
  finish(tracing, 1);
  await tracing.shutdown(0);
  assert.equal(spans[0]?.attributes.late, true);
});
