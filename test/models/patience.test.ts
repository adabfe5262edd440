import assert from "node:assert/strict";
import { test } from "node:test";
import { overtime, patienceFor, patienceOf } from "../../src/models/patience.ts";

const patience = patienceOf({ deadline_ms: 4000, max_deadline_ms: 60_000 });

test("long texts have more time, in proportion, up to a limit", () => {
  const times = [0, 20_000, 30_000, 200_000, 300_000, 16_000_000].map((units) =>
    patienceFor(patience, units),
  );
  assert.deepEqual(times, [4000, 4000, 6000, 40_000, 60_000, 60_000]);
  assert.equal(overtime(patience, 20_000), undefined);
  assert.equal(overtime(patience, 30_000), 6000);
  assert.equal(overtime({ deadlineMs: 4000, maxDeadlineMs: 4000 }, 1e9), undefined);
});
