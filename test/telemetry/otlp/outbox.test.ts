import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { boxed, busy, slow, taken, turn, until } from "./boxed.ts";

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

  test("eight are under way at most; meanwhile the rest gathers", async () => {
    const { add, sent, settled } = boxed({ maxSpans: 10, delayMs: 1 });
    for (let i = 0; i < 8; i += 1) add(10);
    for (let i = 0; i < 8; i += 1) add(2);
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(sent.length, 8);
    sent[0]!.answer(taken);
    await until(() => sent.length === 9);
    assert.equal(sent[8]!.bytes, 10);
    await turn();
    assert.equal(sent.length, 9);
    for (const { answer } of sent.slice(1)) answer(taken);
    await until(() => sent.length === 10);
    sent[9]!.answer(taken);
    await turn();
    assert.deepEqual(
      settled.slice(-2).map(({ ids }) => ids),
      [
        [9, 10, 11, 12, 13],
        [14, 15, 16],
      ],
    );
  });

  test("retries count as under way when they are sent, not while they wait", async () => {
    const { add, sent } = boxed({ maxSpans: 1, delayMs: 1 }, { maxAttempts: 2, initialBackoffMs: 30 });
    for (let i = 0; i < 8; i += 1) add(1);
    await until(() => sent.length === 8);
    sent[0]!.answer(slow);
    await turn();
    for (let i = 0; i < 3; i += 1) add(1, 5);
    await until(() => sent.length === 9);
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.deepEqual([sent.length, sent[8]!.bytes], [9, 5]);
    sent[8]!.answer(taken);
    await until(() => sent.length === 10);
    assert.equal(sent[9]!.bytes, 1);
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
