import assert from "node:assert/strict";
import { test } from "node:test";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { toReadableSpans } from "../../src/telemetry/readable.ts";
import { Trace } from "../../src/telemetry/trace.ts";

const identity = { traceId: "1".repeat(32), flags: 3, state: "", propagates: true };

test("times are seconds and nanoseconds, and a second is never full of nanoseconds", () => {
  // Start and length in milliseconds; from the epoch at 0 every fraction is exact enough to be seen.
  const rows: readonly [number, number, [number, number], [number, number]][] = [
    [0, 1, [0, 0], [0, 1_000_000]],
    [1500.25, 0.000_001, [1, 500_250_000], [0, 1]],
    [999.999_999_9, 1, [1, 0], [0, 1_000_000]],
    [1999.999_999_9, 2000, [2, 0], [2, 0]],
    [0, 999.999_999_6, [0, 0], [1, 0]],
    [1_700_000_000_123.5, 0, [1_700_000_000, 123_500_000], [0, 0]],
  ];
  for (const [startMs, lengthMs, start, duration] of rows) {
    const trace = Object.assign(new Trace("root", identity), { epochOffsetMs: 0 });
    Object.assign(trace.root, { startMs, endMs: startMs + lengthMs });
    const [span] = toReadableSpans(trace, resourceFromAttributes({}), { name: "test" });
    assert.deepEqual(span?.startTime, start, `start of ${startMs} + ${lengthMs}`);
    assert.deepEqual(span?.duration, duration, `length of ${startMs} + ${lengthMs}`);
  }
});

test("the first end counts", () => {
  const { root } = new Trace("root", identity);
  root.end(5);
  root.end(9);
  assert.equal(root.endMs, 5);
});
