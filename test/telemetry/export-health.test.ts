import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startOtlpReceiver } from "../../scripts/demo/otlp-receiver.ts";
import { exportLedger } from "../../src/telemetry/ledger.ts";
import { otlpExporter } from "../../src/telemetry/otlp/exporter.ts";
import type { Exported } from "../../src/telemetry/trace-exporter.ts";
import { startTracing, type Tracing } from "../../src/telemetry/tracing.ts";
import { freePort } from "../support/ports.ts";
import { all, finished, otlpTo, settings, startWith } from "../support/tracing.ts";

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
  const { tracing, spans, told, ledger } = startWith({
    changes: { queue: { maxSpans: 100, maxBytes: 1e6 } },
  });
  finish(tracing, 50, 1);
  assert.equal(tracing.health.queued, 100);
  const late = finished(tracing, 3);
  tracing.finish(late);
  assert.equal(tracing.health.dropped, 4);
  await tracing.shutdown(1000);
  assert.deepEqual(counts(tracing), { exported: 100, failed: 0, dropped: 4, queued: 0, queuedBytes: 0 });
  assert.deepEqual(tracing.health.lost, { queue_full: 4 });
  ledger.flush();
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

describe("what is told", () => {
  const told = (t: TestContext) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
    let at = 1_000_000;
    t.mock.method(performance, "now", () => at);
    const lines: string[] = [];
    const ledger = exportLedger((level, message) => lines.push(`${level}: ${message}`));
    const pass = (ms: number) => {
      at += ms;
      t.mock.timers.tick(ms);
    };
    const fail = (failed: number) =>
      ledger.settle({ exported: 0, failed, reason: "unavailable", message: "14 UNAVAILABLE: nobody there" });
    return { ledger, lines, pass, fail };
  };
  const line = (spans: number) =>
    `warn: Failed to export spans: 14 UNAVAILABLE: nobody there (${spans} spans lost since the last such line)`;

  test("failures of one turn are one line; the next line comes ten seconds later, and leaves none out", (t) => {
    const { ledger, lines, pass, fail } = told(t);
    for (let i = 0; i < 10; i += 1) fail(100);
    pass(0);
    assert.deepEqual(lines, [line(1000)]);
    fail(1);
    pass(9_000);
    fail(2);
    assert.equal(lines.length, 1);
    pass(1_000);
    assert.deepEqual(lines, [line(1000), line(3)]);
    assert.deepEqual([ledger.health.failed, ledger.health.lost], [1003, { unavailable: 1003 }]);
    assert.equal(ledger.health.lastError?.message, "14 UNAVAILABLE: nobody there");
    assert.equal(ledger.health.lastSuccessAt, undefined);
  });

  test("what has not been said at the end is said then", (t) => {
    const { ledger, lines, pass, fail } = told(t);
    fail(1);
    pass(0);
    fail(7);
    ledger.flush();
    ledger.flush();
    assert.deepEqual(lines, [line(1), line(7)]);
  });

  test("a recovery is told, one that does not last is not, and none more than once in ten seconds", (t) => {
    const { ledger, lines, pass, fail } = told(t);
    const again = "info: Exporting spans again (2 spans lost so far)";
    ledger.settle({ exported: 1, failed: 0 });
    fail(2);
    pass(0);
    ledger.settle({ exported: 5, failed: 0 });
    pass(0);
    assert.deepEqual(lines, [line(2), again]);
    assert.ok(ledger.health.lastSuccessAt);
    for (let i = 0; i < 100; i += 1) {
      fail(1);
      ledger.settle({ exported: 1, failed: 0 });
      pass(100);
    }
    assert.ok(lines.length <= 5, lines.join("\n"));
  });

  test("what a collector says of spans it took is told at most every ten seconds", (t) => {
    const { ledger, lines, pass } = told(t);
    for (let i = 0; i < 200; i += 1) {
      ledger.settle({ exported: 1, failed: 0, message: "slow down" });
      pass(50);
    }
    pass(10_000);
    assert.deepEqual(lines, Array(2).fill("warn: The collector took the spans and says: slow down"));
  });
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
  ];
  for (const [name, options, cause, lost] of cases) {
    test(name, async () => {
      const { tracing, told, ledger } = startWith(options);
      finish(tracing, 1);
      await tracing.shutdown(1000);
      ledger.flush();
      assert.equal(tracing.health.failed, lost);
      assert.deepEqual(told, [
        `warn: Failed to export spans: ${cause} (${lost} spans lost since the last such line)`,
      ]);
    });
  }

  test("it cannot be shut down: what it holds is written off, once", async () => {
    const answers: (() => void)[] = [];
    const { tracing } = startWith({
      shutdown: () => Promise.reject(new Error("stuck")),
      exportTo: (traces, done) => {
        answers.push(() => done(all(traces)));
      },
    });
    finish(tracing, 1);
    await tracing.shutdown(1000);
    for (const answer of answers) answer();
    assert.deepEqual(counts(tracing), { exported: 0, failed: 1, dropped: 0, queued: 0, queuedBytes: 0 });
  });

  test("it answers twice: the first answer counts", async () => {
    const { tracing } = startWith({
      exportTo: (traces, done) => {
        done(all(traces));
        done({ exported: 0, failed: 1, reason: "again" });
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
    const { tracing, told, ledger } = startWith({
      exportTo: (_, done) => {
        answers.push(done);
      },
    });
    tracing.finish(finished(tracing, 2));
    await tracing.shutdown(20);
    ledger.flush();
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

describe("a tracing that is replaced", () => {
  test("is stopped once every exchange that was begun is finished, sampled or not", async () => {
    const steps: string[] = [];
    const { tracing } = startWith({
      changes: { sampling: { type: "always_off", rate: 1, parent_based: true } },
      shutdown: async (deadlineMs) => {
        steps.push(`stopped within ${deadlineMs}`);
      },
    });
    const [one, two] = [
      tracing.begin("root", undefined, undefined),
      tracing.begin("root", undefined, undefined),
    ];
    const over = tracing.retire(startWith({ exporting: false }).tracing, 77);
    tracing.finish(one);
    await macrotasks(2);
    assert.deepEqual(steps, []);
    tracing.finish(two);
    await over;
    assert.deepEqual(steps, ["stopped within 77"]);
  });

  test("gives what its collector has not taken to its successor, and counts it once", async () => {
    const ledger = exportLedger();
    const down = otlpExporter(
      otlpTo(`http://127.0.0.1:${await freePort()}`, {
        retry: { maxAttempts: 20, initialBackoffMs: 20_000, maxBackoffMs: 20_000 },
      }),
      { resource: {}, scope: { name: "s", version: "1" } },
    );
    await using receiver = await startOtlpReceiver();
    const old = startTracing(settings(), "1", () => down, { ledger });
    const next = startTracing(
      settings(),
      "1",
      (origin) => otlpExporter(otlpTo(`http://127.0.0.1:${receiver.port}`), origin),
      { ledger },
    );
    const before = finished(old, 1);
    old.finish(before);
    const open = old.begin("root", undefined, undefined);
    const longest = old.begin("root", undefined, undefined);
    await sleep(300);
    await old.retire(next, 1000);
    await receiver.waitFor(before.identity.traceId);
    // Each as it finishes, whatever else is still under way.
    open.root.end();
    old.finish(open);
    await receiver.waitFor(open.identity.traceId);
    assert.equal(longest.root.endMs, 0);
    await next.shutdown(5000);
    const { exported, failed, dropped, queued, queuedBytes } = ledger.health;
    assert.deepEqual(
      { exported, failed, dropped, queued, queuedBytes },
      {
        exported: 3,
        failed: 0,
        dropped: 0,
        queued: 0,
        queuedBytes: 0,
      },
    );
    assert.equal(receiver.spans.length, 3);
  });
});

test("a finished exchange is changed before it is exported, if it is recorded", async () => {
  const { tracing, spans } = startWith({ finishing: (trace) => trace.root.set("late", true) });
  finish(tracing, 1);
  await tracing.shutdown(0);
  assert.equal(spans[0]?.attributes.late, true);
});
