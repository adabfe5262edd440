import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { freePort } from "../../support/ports.ts";
import { bothProtocols, exporterTo, exportSpans, grpcCollector, protocols } from "./collectors.ts";

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe("the sending thread ends", () => {
  test("what it had is told as lost, what comes then is sent by the next one", async () => {
    await using collector = await grpcCollector((request) => (request === 1 ? "never" : {}));
    await using exporter = exporterTo(`http://127.0.0.1:${collector.port}`);
    const lost = exportSpans(exporter, 3);
    await until(() => collector.seen.length === 1);
    await exporter.kill();
    const { failed, reason, message } = await lost;
    assert.deepEqual([failed, reason], [3, "worker_died"]);
    assert.match(message ?? "", /the thread that sends spans ended .* started again/);
    assert.deepEqual(await exportSpans(exporter, 2), { exported: 2, failed: 0 });
  });

  test("more than once", async () => {
    await using collector = await grpcCollector();
    await using exporter = exporterTo(`http://127.0.0.1:${collector.port}`);
    for (let round = 0; round < 3; round += 1) {
      assert.equal((await exportSpans(exporter, 1)).exported, 1);
      await exporter.kill();
    }
    assert.equal((await exportSpans(exporter, 1)).exported, 1);
  });

  test("shutdown does not wait for the next one to be due", async () => {
    await using collector = await grpcCollector((request) => (request < 6 ? "never" : {}));
    await using exporter = exporterTo(`http://127.0.0.1:${collector.port}`);
    // Each start that comes to nothing doubles the wait for the next: 1.6 s in the end.
    for (let start = 1; start < 6; start += 1) {
      void exportSpans(exporter, 1);
      await until(() => collector.seen.length === start);
      await exporter.kill();
    }
    const result = exportSpans(exporter, 1);
    await exporter.shutdown(1300);
    assert.deepEqual(await result, { exported: 1, failed: 0 });
  });
});

describe("there is a thread while there is something to send", () => {
  test("none before the first export, nor after the last once it rests; the next export starts one", async () => {
    const threads = () => readdirSync("/proc/self/task").length;
    await using collector = await grpcCollector();
    const without = await settledAt(threads);
    await using exporter = exporterTo(`http://127.0.0.1:${collector.port}`);
    assert.equal(await settledAt(threads), without);
    exporter.rest();
    const other = exporterTo(`http://127.0.0.1:${collector.port}`);
    assert.equal((await exportSpans(other, 1)).exported, 1);
    assert.ok(threads() > without);
    other.rest();
    await until(() => threads() <= without);
    for (let round = 0; round < 2; round += 1) {
      assert.equal((await exportSpans(other, 1)).exported, 1);
      await until(() => threads() <= without);
    }
  });

  test("resting takes nothing from what is under way", async () => {
    await using collector = await grpcCollector(() => ({ afterMs: 200 }));
    await using exporter = exporterTo(`http://127.0.0.1:${collector.port}`);
    const results = [1, 2].map((spans) => exportSpans(exporter, spans));
    exporter.rest();
    assert.deepEqual(
      (await Promise.all(results)).map(({ exported }) => exported),
      [1, 2],
    );
  });
});

for (const protocol of bothProtocols) {
  const { collector: start, url } = protocols[protocol];

  describe(`${protocol}: shutdown`, () => {
    test("sends at once what is being gathered", async () => {
      await using collector = await start();
      const exporter = exporterTo(url(collector.port), { batch: { delayMs: 60_000 } });
      const results = Promise.all([exportSpans(exporter, 2), exportSpans(exporter, 3)]);
      await exporter.shutdown(10_000);
      assert.deepEqual(
        (await results).map(({ exported }) => exported),
        [2, 3],
      );
      assert.deepEqual(
        collector.seen.map(({ spans }) => spans),
        [5],
      );
    });

    test("at its deadline, what is not answered is told as lost", async () => {
      await using collector = await start(() => "never");
      const exporter = exporterTo(url(collector.port));
      const results = Promise.all([exportSpans(exporter, 2), exportSpans(exporter, 3)]);
      await exporter.shutdown(300);
      assert.deepEqual(
        (await results).map(({ failed, reason }) => [failed, reason]),
        [
          [2, "shutdown"],
          [3, "shutdown"],
        ],
      );
    });

    test("waits for no retry that comes after its deadline", async () => {
      const port = await freePort();
      const waits = { maxAttempts: 5, initialBackoffMs: 30_000, maxBackoffMs: 30_000 };
      const exporter = exporterTo(url(port), { retry: waits, batch: { timeoutMs: 120_000 } });
      const early = exportSpans(exporter, 1);
      // By now the first attempt has most likely failed, and waits; the second is made by the shutdown.
      await new Promise((resolve) => setTimeout(resolve, 200));
      const late = exportSpans(exporter, 1);
      await exporter.shutdown(15_000);
      for (const { reason } of [await early, await late]) assert.equal(reason, "unavailable");
    });

    test("twice is once, and with nothing to send it is over at once", async () => {
      const exporter = exporterTo(url(await freePort()));
      await Promise.all([exporter.shutdown(60_000), exporter.shutdown(60_000)]);
    });
  });
}

test("an exporter holds no process alive, even with spans under way", async () => {
  await using collector = await grpcCollector(() => "never");
  const script = `
    const { exporterTo, exportSpans } = await import(${JSON.stringify(new URL("./collectors.ts", import.meta.url).href)});
    const exporter = exporterTo("http://127.0.0.1:${collector.port}", { timeoutMs: 600_000 });
    exportSpans(exporter, 1);
    setTimeout(() => console.log("over"), 300);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  const said: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => said.push(part));
  const [code] = await once(child, "close");
  assert.deepEqual([code, Buffer.concat(said).toString()], [0, "over\n"]);
});

/** Node starts threads of its own: their number once it has not changed for a while. */
async function settledAt(count: () => number): Promise<number> {
  for (let last = -1, now = count(); ; last = now, now = count()) {
    if (last === now) return now;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}
