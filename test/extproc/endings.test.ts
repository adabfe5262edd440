import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LogEntry } from "../../src/extproc/access-log.ts";
import { type Endings, joinEndings } from "../../src/extproc/endings.ts";

const entry = (requestId: string, more: Partial<LogEntry> = {}): LogEntry => ({
  requestId,
  startMs: 1000,
  durationMs: 5,
  upstreamEndMs: undefined,
  status: 200,
  details: "via_upstream",
  flags: [],
  peer: undefined,
  attempts: 1,
  ...more,
});

/** An exchange that has ended; what it was settled with, once it was. */
function ended(endings: Endings, requestId: string, startMs = 1000) {
  const settled: (LogEntry | undefined)[] = [];
  endings.expect(requestId, startMs).ended((found) => settled.push(found));
  return settled;
}

const timers = { apis: ["setTimeout" as const, "Date" as const] };

describe("with a log", () => {
  const withLog = (waitMs = 1000) => {
    const endings = joinEndings(() => waitMs);
    endings.logOpened();
    return endings;
  };

  test("the entry comes after the stream's end", () => {
    const endings = withLog();
    const settled = ended(endings, "a");
    assert.deepEqual(settled, []);
    const found = entry("a");
    endings.heard(found);
    assert.deepEqual(settled, [found]);
    assert.deepEqual(endings.counts, { waiting: 0, expected: 0, unmatched: 0 });
  });

  test("the entry comes before the stream's end: nothing waits", () => {
    const endings = withLog();
    const expected = endings.expect("a", 1000);
    const found = entry("a");
    endings.heard(found);
    let settled: LogEntry | undefined;
    expected.ended((got) => {
      settled = got;
    });
    assert.equal(settled, found);
    assert.deepEqual(endings.counts, { waiting: 0, expected: 0, unmatched: 0 });
  });

  test("the entry never comes: settled without one when the time is up, the oldest first", (t) => {
    let at = 0;
    t.mock.method(performance, "now", () => at);
    t.mock.timers.enable(timers);
    const endings = withLog(1000);
    const first = ended(endings, "a");
    at = 500;
    const second = ended(endings, "b");
    at = 1000;
    t.mock.timers.tick(1000);
    assert.deepEqual([first, second], [[undefined], []]);
    at = 1500;
    t.mock.timers.tick(500);
    assert.deepEqual(second, [undefined]);
    // It comes all the same: counted and forgotten.
    endings.heard(entry("a"));
    assert.deepEqual(endings.counts, { waiting: 0, expected: 0, unmatched: 1 });
  });

  test("an entry without an exchange, a second one, and one of before a restart are counted and forgotten", () => {
    const endings = withLog();
    endings.heard(entry("never"));
    const settled = ended(endings, "a");
    endings.heard(entry("a"));
    endings.heard(entry("a"));
    assert.equal(settled.length, 1);
    assert.deepEqual(endings.counts, { waiting: 0, expected: 0, unmatched: 2 });
  });

  test("of two exchanges with one id each gets the entry that began when it did", () => {
    const endings = withLog();
    const early = ended(endings, "same", 1000);
    const late = ended(endings, "same", 2000);
    const second = entry("same", { startMs: 1998 });
    endings.heard(second);
    assert.deepEqual([early, late], [[], [second]]);
    const first = entry("same", { startMs: 999 });
    endings.heard(first);
    assert.deepEqual(early, [first]);
  });

  test("one id used for ever is not held for ever", () => {
    const endings = withLog();
    const settled = Array.from({ length: 100 }, () => ended(endings, "same"));
    assert.equal(settled.filter((one) => one.length === 1).length, 36);
    assert.equal(endings.counts.waiting, 64);
  });

  test("what waits is bounded: the oldest goes without its entry", () => {
    const endings = withLog();
    const settled = Array.from({ length: 5000 }, (_, i) => ended(endings, `r${i}`));
    assert.equal(endings.counts.waiting, 4096);
    assert.equal(endings.counts.expected, 4096);
    assert.deepEqual(settled.slice(0, 904).flat(), Array(904).fill(undefined));
    assert.deepEqual(settled.slice(904).flat(), []);
    endings.settleAll();
    assert.deepEqual(endings.counts, { waiting: 0, expected: 0, unmatched: 0 });
  });

  test("at the end nothing waits any more", () => {
    const endings = withLog();
    const waiting = ended(endings, "a");
    endings.settleAll();
    assert.deepEqual([waiting, ended(endings, "b")], [[undefined], [undefined]]);
  });

  test("wait 0: none waits", () => {
    assert.deepEqual(ended(withLog(0), "a"), [undefined]);
  });
});

test("without a log the first exchanges wait briefly for one, and then none does; a log that opens is waited for again", (t) => {
  let at = 0;
  t.mock.method(performance, "now", () => at);
  t.mock.timers.enable(timers);
  const endings = joinEndings(() => 1000);
  const probing = Array.from({ length: 64 }, (_, i) => ended(endings, `r${i}`));
  assert.deepEqual(ended(endings, "after"), [undefined]);
  assert.deepEqual(probing.flat(), []);
  at = 250;
  t.mock.timers.tick(250);
  assert.deepEqual(probing.flat(), Array(64).fill(undefined));
  endings.logOpened();
  const settled = ended(endings, "b");
  assert.deepEqual(settled, []);
  endings.logClosed();
  // It may open anew at once.
  assert.deepEqual(ended(endings, "c"), []);
});
