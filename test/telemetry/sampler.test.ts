import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Tracing } from "../../src/config/schema.ts";
import { sampler } from "../../src/telemetry/sampler.ts";
import { randomHex } from "../../src/telemetry/trace.ts";
import type { SpanContext } from "../../src/telemetry/w3c.ts";

type Policy = Tracing["sampling"];
const policy = (type: Policy["type"], rate = 1, parent_based = true): Policy => ({
  type,
  rate,
  parent_based,
});
const parent = (flags: number): SpanContext => ({
  traceId: "a".repeat(32),
  spanId: "b".repeat(16),
  flags,
  state: "",
});
const traceId = "0af7651916cd43dd8448eb211c80319c";

describe("whether an exchange is recorded", () => {
  const none = undefined;
  const cases: readonly [string, Policy, SpanContext | undefined, boolean][] = [
    ["always_on, no caller", policy("always_on"), none, true],
    ["always_off, no caller", policy("always_off"), none, false],
    ["rate 0, no caller", policy("probabilistic", 0), none, false],
    ["rate 1, no caller", policy("probabilistic", 1), none, true],
    ["the rate is for `probabilistic` alone", policy("always_on", 0), none, true],
    ["always_on follows a caller that does not", policy("always_on"), parent(0), false],
    ["the random bit is not the sampled bit", policy("always_on"), parent(2), false],
    ["always_off follows a caller that does", policy("always_off"), parent(1), true],
    ["rate 0 follows a caller that does", policy("probabilistic", 0), parent(3), true],
    ["always_on on its own", policy("always_on", 1, false), parent(0), true],
    ["always_off on its own", policy("always_off", 1, false), parent(1), false],
    ["rate 0 on its own", policy("probabilistic", 0, false), parent(1), false],
    ["rate 1 on its own", policy("probabilistic", 1, false), parent(0), true],
  ];
  for (const [name, sampling, from, expected] of cases) {
    test(name, () => assert.equal(sampler(sampling)(from, traceId), expected));
  }
});

test("half of random trace ids at rate 0.5, and the same id always gets the same answer", () => {
  const one = sampler(policy("probabilistic", 0.5));
  const other = sampler(policy("probabilistic", 0.5));
  const ids = Array.from({ length: 10_000 }, () => randomHex(16));
  const kept = ids.filter((id) => one(undefined, id));
  // Ten standard deviations of a fair coin: chance does not get there.
  assert.ok(Math.abs(kept.length - 5000) < 500, `${kept.length} of 10000`);
  assert.deepEqual(
    ids.filter((id) => other(undefined, id)),
    kept,
  );
  const more = sampler(policy("probabilistic", 0.75));
  assert.ok(
    kept.every((id) => more(undefined, id)),
    "what a lower rate keeps, a higher rate keeps as well",
  );
});

describe("two samplers built apart, as on two replicas, at every rate", () => {
  const ids = Array.from({ length: 10_000 }, () => randomHex(16));
  for (const rate of [0.01, 0.1, 0.5, 0.9, 0.99]) {
    test(`${rate}: the same answer for 10,000 ids, and the share that was asked for`, () => {
      const [one, other] = [sampler(policy("probabilistic", rate)), sampler(policy("probabilistic", rate))];
      const answers = ids.map((id) => one(undefined, id));
      assert.deepEqual(
        ids.map((id) => other(undefined, id)),
        answers,
      );
      const kept = answers.filter(Boolean).length;
      const deviation = Math.sqrt(10_000 * rate * (1 - rate));
      assert.ok(Math.abs(kept - 10_000 * rate) < 10 * deviation, `${kept} of 10000`);
    });
  }

  // The ratio is compared with 32 bits of the id: these are their ends.
  const ends = ["f".repeat(8) + "0".repeat(24), `${"0".repeat(31)}1`, `${"f".repeat(31)}e`];
  for (const rate of [0, 1]) {
    test(`${rate} is exact`, () => {
      const sample = sampler(policy("probabilistic", rate, false));
      for (const id of [...ids, ...ends]) assert.equal(sample(undefined, id), rate === 1, id);
    });
  }
});
