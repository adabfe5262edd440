import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { backoffMs, retryAfterMs } from "../../../src/telemetry/otlp/backoff.ts";

const retry = { maxAttempts: 9, initialBackoffMs: 1000, maxBackoffMs: 5000 };
const middle = () => 0.5;

test("each wait is 1.5 times the one before, up to the longest", () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 9].map((attempt) => Math.round(backoffMs(attempt, retry, undefined, middle))),
    [1000, 1500, 2250, 3375, 5000, 5000],
  );
});

test("jitter is 20 % to both sides", () => {
  assert.deepEqual(
    [0, 0.5, 1].map((random) => Math.round(backoffMs(1, retry, undefined, () => random))),
    [800, 1000, 1200],
  );
});

test("what the collector asks for is never shortened, not even by the longest wait", () => {
  assert.deepEqual(
    [0, 1].map((random) => Math.round(backoffMs(1, retry, 20_000, () => random))),
    [20_000, 24_000],
  );
  assert.equal(backoffMs(1, retry, 0, middle), 0);
});

describe("retry-after", () => {
  const now = Date.UTC(2026, 0, 1, 12, 0, 0);
  const rows: readonly [string | undefined, number | undefined][] = [
    ["7", 7000],
    [" 0 ", 0],
    ["Thu, 01 Jan 2026 12:00:09 GMT", 9000],
    ["Thu, 01 Jan 2026 11:00:00 GMT", 0],
    ["-1", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined],
  ];
  for (const [header, ms] of rows) {
    test(`${header} is ${ms} ms`, () => assert.equal(retryAfterMs(header, now), ms));
  }
});
