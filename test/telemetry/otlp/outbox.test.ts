import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Piece, Settled } from "../../../src/telemetry/otlp/messages.ts";
import { outbox } from "../../../src/telemetry/otlp/outbox.ts";
import { type Answer, failure, type Transport } from "../../../src/telemetry/otlp/transport.ts";
import { settingsFor } from "./collectors.ts";

const taken: Answer = { accepted: true, rejected: 0, message: "" };
const busy = failure("unavailable", "busy", true);

type Sent = { readonly bytes: number; answer(answer: Answer): void };

/** An outbox whose requests wait to be answered by the test. */
function boxed(batch: object, retry: object = {}) {
  const sent: Sent[] = [];
  const settled: Settled[] = [];
  const transport: Transport = {
    pack: async (pieces) => Buffer.concat(pieces),
    send: ({ length }) => new Promise((answer) => sent.push({ bytes: length, answer })),
  };
  const settings = settingsFor("http://collector:4317", { batch, retry });
  const box = outbox(
    transport,
    settings,
    (one) => settled.push(one),
    () => 0.5,
  );
  let id = 0;
  const add = (spans: number, bytes = spans): void => {
    id += 1;
    box.add({ id, spans, bytes: new Uint8Array(bytes) } satisfies Piece);
  };
  return { ...box, add, sent, settled };
}

const turn = () => new Promise(setImmediate);
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
};

describe("requests", () => {
  const rows: readonly [string, number, readonly number[], readonly number[]][] = [
    ["as many spans as allowed, exactly", 10, [5, 5], [10]],
    ["a piece that would be too much stays for the next", 10, [6, 6, 4], [6, 10]],
    ["a piece larger than allowed goes alone", 10, [25, 3, 7], [25, 10]],
    ["after what came before it", 10, [3, 25], [3, 25]],
  ];
  for (const [name, maxSpans, pieces, requests] of rows) {
    test(name, async () => {
      const { add, sent, shutdown } = boxed({ maxSpans, delayMs: 60_000 });
      for (const spans of pieces) add(spans);
      await turn();
      assert.deepEqual(
        sent.map(({ bytes }) => bytes),
        requests,
      );
      shutdown(0);
    });
  }

  test("fewer spans wait for others, not longer than configured", async () => {
    const { add, sent } = boxed({ maxSpans: 10, delayMs: 150 });
    add(3);
    add(4);
    await turn();
    assert.equal(sent.length, 0);
    await until(() => sent.length === 1);
    assert.equal(sent[0]!.bytes, 7);
  });

  test("more than 2 MiB do not share a request, whatever the spans", async () => {
    const { add, sent, shutdown } = boxed({ maxSpans: 1000, delayMs: 60_000 });
    const mebibyte = 1024 * 1024;
    for (let i = 0; i < 4; i += 1) add(1, 0.75 * mebibyte);
    await turn();
    assert.deepEqual(
      sent.map(({ bytes }) => bytes / mebibyte),
      [1.5],
    );
    shutdown(0);
  });

  test("two are under way at most; meanwhile the rest gathers", async () => {
    const { add, sent, settled } = boxed({ maxSpans: 10, delayMs: 1 });
    for (let i = 0; i < 2; i += 1) add(10);
    for (let i = 0; i < 8; i += 1) add(2);
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(sent.length, 2);
    sent[0]!.answer(taken);
    await until(() => sent.length === 3);
    assert.equal(sent[2]!.bytes, 10);
    await turn();
    assert.equal(sent.length, 3);
    sent[1]!.answer(taken);
    sent[2]!.answer(taken);
    await until(() => sent.length === 4);
    sent[3]!.answer(taken);
    await turn();
    assert.deepEqual(
      settled.map(({ ids }) => ids),
      [[1], [2], [3, 4, 5, 6, 7], [8, 9, 10]],
    );
  });

  test("retries count as under way when they are sent, not while they wait", async () => {
    const { add, sent } = boxed({ maxSpans: 1, delayMs: 1 }, { maxAttempts: 2, initialBackoffMs: 30 });
    add(1);
    add(1);
    await until(() => sent.length === 2);
    for (const { answer } of [...sent]) answer(busy);
    await turn();
    add(1, 5);
    add(1, 6);
    await until(() => sent.length === 4);
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.deepEqual(
      sent.map(({ bytes }) => bytes),
      [1, 1, 5, 6],
    );
    sent[2]!.answer(taken);
    await until(() => sent.length === 5);
    assert.equal(sent[4]!.bytes, 1);
  });
});

describe("attempts", () => {
  test("a stale connection is tried again at once, once, and does not count", async () => {
    const { add, sent, settled } = boxed({ maxSpans: 1 });
    add(1);
    for (const length of [1, 2]) {
      await until(() => sent.length === length);
      sent[length - 1]!.answer({ ...busy, stale: true });
    }
    await until(() => settled.length === 1);
    assert.equal(sent.length, 2);
    assert.equal(settled[0]!.message, "http://collector:4317: busy");
  });

  test("shutdown gives up at once what would be tried again too late, and waits for what would not", async () => {
    const retry = { maxAttempts: 2, initialBackoffMs: 500, maxBackoffMs: 500 };
    for (const [withinMs, outcome] of [
      [100, "given up"],
      [5000, "tried again"],
    ] as const) {
      const { add, sent, settled, shutdown } = boxed({ maxSpans: 1 }, retry);
      add(1);
      await until(() => sent.length === 1);
      sent[0]!.answer(busy);
      await turn();
      assert.equal(settled.length, 0);
      shutdown(withinMs);
      assert.equal(settled.length, outcome === "given up" ? 1 : 0);
      if (outcome === "tried again") await until(() => sent.length === 2);
    }
  });
});
