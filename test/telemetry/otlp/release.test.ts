import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { failure } from "../../../src/telemetry/otlp/transport.ts";
import { freePort } from "../../support/ports.ts";
import { boxed, busy, slow, taken, turn, until } from "./boxed.ts";
import { bothProtocols, exporterTo, exportSpans, protocols } from "./collectors.ts";

const waits = { maxAttempts: 9, initialBackoffMs: 60_000, maxBackoffMs: 60_000 };
const long = { timeoutMs: 600_000 };

describe("the outbox gives back", () => {
  test("what sleeps, what waits to be tried again, and what was never sent", async () => {
    const { add, sent, settled, release } = boxed({ ...long, maxSpans: 1, delayMs: 1 }, waits);
    add(1, 1);
    add(1, 2);
    await until(() => sent.length === 2);
    sent[0]!.answer(slow);
    sent[1]!.answer(busy);
    await turn();
    add(1, 3);
    const pieces = await release();
    assert.deepEqual(pieces.map(({ id, bytes }) => [id, bytes.length]).sort(), [
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    assert.deepEqual([sent.length, settled.length], [2, 0]);
    assert.deepEqual(await release(), []);
  });

  test("what is under way once it has failed, even for good, and not what was taken", async () => {
    const { add, sent, settled, release } = boxed({ maxSpans: 1 }, { maxAttempts: 1 });
    for (let i = 0; i < 3; i += 1) add(1);
    await until(() => sent.length === 3);
    const released = release();
    add(1);
    sent[0]!.answer(taken);
    sent[1]!.answer(busy);
    await turn();
    sent[2]!.answer(failure("refused", "no key", false));
    assert.deepEqual(
      (await released).map(({ id }) => id),
      [2, 3, 4],
    );
    assert.deepEqual(
      settled.map(({ ids }) => ids),
      [[1]],
    );
    assert.equal(sent.length, 3);
  });

  test("and goes on with what comes then", async () => {
    const { add, sent, release } = boxed({ maxSpans: 1 });
    await release();
    add(1, 7);
    await until(() => sent.length === 1);
    assert.equal(sent[0]!.bytes, 7);
  });
});

for (const protocol of bothProtocols) {
  const { collector: start, url } = protocols[protocol];

  describe(protocol, () => {
    test("what a collector that is away has not taken, another exporter delivers", async () => {
      await using collector = await start();
      await using old = exporterTo(url(await freePort()), { retry: waits, batch: long });
      await using next = exporterTo(url(collector.port));
      const results = [2, 3, 4].map((spans) => exportSpans(old, spans));
      const pieces = await old.release();
      assert.deepEqual(pieces.map(({ spans }) => spans).sort(), [2, 3, 4]);
      next.adopt(pieces);
      assert.deepEqual(
        await Promise.all(results),
        [2, 3, 4].map((exported) => ({ exported, failed: 0 })),
      );
      assert.equal(
        collector.seen.reduce((sum, { spans }) => sum + spans, 0),
        9,
      );
      await old.shutdown(0);
    });

    test("what was taken meanwhile is not given back", async () => {
      await using collector = await start((() => ({ afterMs: 100 })) as unknown as () => "never");
      await using exporter = exporterTo(url(collector.port));
      const result = exportSpans(exporter, 2);
      await until(() => collector.seen.length === 1);
      assert.deepEqual(await exporter.release(), []);
      assert.deepEqual(await result, { exported: 2, failed: 0 });
      assert.equal((await exportSpans(exporter, 1)).exported, 1);
    });
  });
}

test("nothing is given back twice, nor by a thread that ended, nor after the end", async () => {
  await using collector = await protocols.grpc.collector(() => "never");
  await using exporter = exporterTo(`http://127.0.0.1:${collector.port}`);
  const result = exportSpans(exporter, 2);
  await until(() => collector.seen.length === 1);
  const released = exporter.release();
  assert.deepEqual(await exporter.release(), []);
  await exporter.kill();
  assert.deepEqual(await released, []);
  assert.equal((await result).reason, "worker_died");
  await exporter.shutdown(0);
  assert.deepEqual(await exporter.release(), []);
});

test("an exporter that is shut down adopts nothing, and says so", async () => {
  await using old = exporterTo(`http://127.0.0.1:${await freePort()}`, { retry: waits, batch: long });
  await using next = exporterTo("http://127.0.0.1:1");
  const result = exportSpans(old, 2);
  await next.shutdown(0);
  next.adopt(await old.release());
  const { failed, reason, message } = await result;
  assert.deepEqual([failed, reason], [2, "shutdown"]);
  assert.match(message ?? "", /^http:\/\/127\.0\.0\.1:1: the exporter is shut down$/);
});
