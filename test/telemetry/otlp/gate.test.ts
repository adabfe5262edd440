import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { failure } from "../../../src/telemetry/otlp/transport.ts";
import { boxed, busy, type Sent, slow, taken, turn, until } from "./boxed.ts";
import {
  bothProtocols,
  exporterTo,
  exportSpans,
  type GrpcAnswer,
  grpcCollector,
  type HttpAnswer,
  httpCollector,
  protocols,
} from "./collectors.ts";
import { rpcStatus } from "./status.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const told = (waitMs: number) => failure("unavailable", "slow down", true, { waitMs });
const bytes = (sent: readonly Sent[]) => sent.map((one) => one.bytes);
const one = { maxSpans: 1, delayMs: 1 };
/** An answer that says "not now" holds everything back for 250 ms. */
const waits = { maxAttempts: 9, initialBackoffMs: 250, maxBackoffMs: 250 };

for (const [name, answer] of [
  ["a collector that is away", busy],
  ["a collector that asks for a pause", told(250)],
] as const) {
  test(`${name} holds back what comes then; one request tries, and when it is taken all go`, async () => {
    const { add, sent } = boxed(one, waits);
    add(1);
    await until(() => sent.length === 1);
    sent[0]!.answer(answer);
    await turn();
    for (const size of [2, 3, 4]) add(1, size);
    await pause(100);
    assert.deepEqual(bytes(sent), [1]);
    await until(() => sent.length === 2);
    await pause(100);
    assert.deepEqual(bytes(sent), [1, 1]);
    sent[1]!.answer(taken);
    await until(() => sent.length === 5);
    assert.deepEqual(bytes(sent), [1, 1, 2, 3, 4]);
  });
}

test("the one that tries fails, in whatever way: it waits again, and the next one is another", async () => {
  for (const again of [busy, slow]) {
    const { add, sent, shutdown } = boxed(one, waits);
    add(1, 1);
    add(1, 2);
    await until(() => sent.length === 2);
    for (const { answer } of [...sent]) answer(busy);
    await until(() => sent.length === 3);
    sent[2]!.answer(again);
    await pause(100);
    assert.deepEqual(bytes(sent), [1, 2, 1]);
    await until(() => sent.length === 4);
    assert.deepEqual(bytes(sent), [1, 2, 1, 2]);
    shutdown(0);
  }
});

test("a refusal of the one that tries is an answer: all go", async () => {
  const { add, sent, settled } = boxed(one, waits);
  add(1);
  await until(() => sent.length === 1);
  sent[0]!.answer(busy);
  await turn();
  for (const size of [2, 3]) add(1, size);
  await until(() => sent.length === 2);
  sent[1]!.answer(failure("refused", "bad", false));
  await until(() => sent.length === 4);
  assert.deepEqual(
    settled.map(({ ids, reason }) => [ids, reason]),
    [[[1], "refused"]],
  );
});

test("those that were under way already neither end the pause nor shorten it", async () => {
  const { add, sent } = boxed(one, waits);
  for (const size of [1, 2, 3]) add(1, size);
  await until(() => sent.length === 3);
  sent[0]!.answer(told(300));
  await turn();
  sent[1]!.answer(taken);
  await turn();
  sent[2]!.answer(told(1));
  add(1, 4);
  await pause(120);
  assert.equal(sent.length, 3);
  await until(() => sent.length === 4);
  assert.equal(sent[3]!.bytes, 1);
});

test("a request that merely is too slow holds nothing back", async () => {
  const { add, sent } = boxed(one, { ...waits, initialBackoffMs: 60_000, maxBackoffMs: 60_000 });
  add(1, 1);
  await until(() => sent.length === 1);
  sent[0]!.answer(failure("timeout", "slow", true));
  await turn();
  add(1, 2);
  await until(() => sent.length === 2);
});

test("a batch's time counts from its first attempt, not from when it began to wait", async () => {
  const { add, sent, settled } = boxed({ ...one, timeoutMs: 80 }, waits);
  add(1, 1);
  await until(() => sent.length === 1);
  sent[0]!.answer(told(120));
  await turn();
  // Its own time will be over before the pause is: known at once.
  assert.deepEqual(settled[0]?.ids, [1]);
  add(1, 2);
  await until(() => sent.length === 2);
  sent[1]!.answer(taken);
  await turn();
  assert.deepEqual([settled[1]?.ids, settled[1]?.reason], [[2], undefined]);
});

test("who waits already is given up when the pause becomes longer than its time", async () => {
  const { add, sent, settled } = boxed(one, waits);
  for (const size of [1, 2]) add(1, size);
  await until(() => sent.length === 2);
  sent[0]!.answer(busy);
  await turn();
  assert.equal(settled.length, 0);
  sent[1]!.answer(told(60_000));
  await turn();
  assert.deepEqual(
    settled.map(({ ids, message }) => [ids, message]),
    [
      [[2], "http://collector:4317: slow down"],
      [[1], "http://collector:4317: busy"],
    ],
  );
});

describe("shutdown", () => {
  test("what has never been sent goes, one request at a time", async () => {
    const { add, sent, settled, shutdown } = boxed(one, {
      ...waits,
      initialBackoffMs: 60_000,
      maxBackoffMs: 60_000,
    });
    add(1, 1);
    await until(() => sent.length === 1);
    sent[0]!.answer(busy);
    await turn();
    for (const size of [2, 3]) add(1, size);
    shutdown(5000);
    assert.deepEqual(
      settled.map(({ ids }) => ids),
      [[1]],
    );
    for (const length of [2, 3]) {
      await until(() => sent.length === length);
      await turn();
      assert.equal(sent.length, length);
      sent[length - 1]!.answer(busy);
    }
    await until(() => settled.length === 3);
  });

  test("but not before the time that the collector asked for", async () => {
    const { add, sent, settled, shutdown } = boxed(one, waits);
    add(1, 1);
    await until(() => sent.length === 1);
    sent[0]!.answer(told(60_000));
    await turn();
    for (const size of [2, 3]) add(1, size);
    shutdown(5000);
    await turn();
    assert.equal(sent.length, 1);
    assert.deepEqual(
      settled.map(({ ids, reason, message }) => [ids, reason, message]),
      [1, 2, 3].map((id) => [[id], "unavailable", "http://collector:4317: slow down"]),
    );
  });
});

for (const protocol of bothProtocols) {
  test(`${protocol}: a collector that asks for a pause is asked by nobody until it is over`, async () => {
    const times: number[] = [];
    const answer = (request: number) => {
      times.push(performance.now());
      if (request > 1) return {};
      return protocol === "grpc"
        ? { code: 8, details: rpcStatus(8, "", 1000) }
        : { status: 429, headers: { "retry-after": "1" } };
    };
    await using collector =
      protocol === "grpc"
        ? await grpcCollector(answer as (request: number) => GrpcAnswer)
        : await httpCollector(answer as (request: number) => HttpAnswer);
    await using exporter = exporterTo(protocols[protocol].url(collector.port), { retry: { maxAttempts: 2 } });
    const first = exportSpans(exporter, 1);
    await until(() => times.length === 1);
    await pause(100);
    const rest = [1, 2, 3].map((spans) => exportSpans(exporter, spans));
    for (const { failed } of await Promise.all([first, ...rest])) assert.equal(failed, 0);
    // The clock of timers may be a millisecond ahead.
    assert.ok(times[1]! - times[0]! > 990, String(times));
  });
}
