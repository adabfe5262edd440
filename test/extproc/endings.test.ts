import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LogEntry } from "../../src/extproc/access-log.ts";
import { type Endings, joinEndings } from "../../src/extproc/endings.ts";

const startUs = 1_000_000;
const entry = (requestId: string, more: Partial<LogEntry> = {}): LogEntry => ({
  requestId,
  startUs,
  durationMs: 5,
  upstreamEndMs: undefined,
  status: 200,
  details: "via_upstream",
  flags: [],
  peer: undefined,
  attempts: 1,
  ...more,
});

type Settled = [LogEntry | undefined, boolean][];
const none: Settled = [[undefined, false]];

/** An exchange that has ended; what it was settled with, once it was. */
function ended(
  endings: Endings,
  requestId: string,
  startedUs: number | undefined = startUs,
  long = false,
): Settled {
  const settled: Settled = [];
  endings
    .expect({ requestId, startUs: startedUs, heardMs: (startedUs ?? startUs) / 1000 + 1 })
    .ended((found, lost) => settled.push([found, lost]), long);
  return settled;
}

const loose = (endings: Endings, requestId: string, heardMs: number): Settled => {
  const settled: Settled = [];
  endings
    .expect({ requestId, startUs: undefined, heardMs })
    .ended((found, lost) => settled.push([found, lost]));
  return settled;
};

const timers = { apis: ["setTimeout" as const, "Date" as const] };
const empty = { waiting: 0, expected: 0, unclaimed: 0 };

const withLog = (waitMs = 1000) => {
  const endings = joinEndings(() => waitMs);
  endings.logOpened();
  return endings;
};

describe("with a log", () => {
  test("the entry comes after the stream's end", () => {
    const endings = withLog();
    const settled = ended(endings, "a");
    assert.deepEqual(settled, []);
    const found = entry("a");
    endings.heard(found);
    assert.deepEqual(settled, [[found, false]]);
    assert.deepEqual(endings.counts, empty);
  });

  test("the entry comes before the stream's end: nothing waits", () => {
    const endings = withLog();
    const expected = endings.expect({ requestId: "a", startUs, heardMs: 1001 });
    const found = entry("a");
    endings.heard(found);
    let settled: LogEntry | undefined;
    expected.ended((got) => {
      settled = got;
    });
    assert.equal(settled, found);
    assert.deepEqual(endings.counts, empty);
  });

  test("the entry comes before the stream's first message: it is kept for it", () => {
    const endings = withLog();
    const found = entry("a");
    endings.heard(found);
    assert.equal(endings.counts.unclaimed, 1);
    assert.deepEqual(ended(endings, "a"), [[found, false]]);
    assert.deepEqual(endings.counts, empty);
  });

  test("the entry never comes: settled without one when the time is up, the oldest first", (t) => {
    let at = 10_000;
    t.mock.method(performance, "now", () => at);
    t.mock.timers.enable(timers);
    const endings = withLog(1000);
    const first = ended(endings, "a");
    at = 10_500;
    const second = ended(endings, "b");
    at = 11_000;
    t.mock.timers.tick(1000);
    assert.deepEqual([first, second], [none, []]);
    at = 11_500;
    t.mock.timers.tick(500);
    assert.deepEqual(second, none);
    // It comes all the same, and belongs to nobody.
    endings.heard(entry("a"));
    assert.deepEqual(endings.counts, { ...empty, unclaimed: 1 });
  });

  test("an id used twice: each exchange gets its own entry and no other, late, double or unsampled ones among it", () => {
    const endings = withLog();
    const slow = ended(endings, "same", 5_000_000);
    for (const other of [1_000_000, 4_999_999, 5_000_001, 9_000_000])
      endings.heard(entry("same", { startUs: other, durationMs: 1 }));
    assert.deepEqual(slow, []);
    const own = entry("same", { startUs: 5_000_000 });
    endings.heard(own);
    endings.heard(own);
    assert.deepEqual(slow, [[own, false]]);
  });

  test("what waits is bounded: the oldest goes without its entry", () => {
    const endings = withLog();
    const settled = Array.from({ length: 5000 }, (_, i) => ended(endings, `r${i}`));
    assert.deepEqual(endings.counts, { waiting: 4096, expected: 4096, unclaimed: 0 });
    assert.deepEqual(settled.slice(0, 904).flat(), Array(904).fill([undefined, false]));
    assert.deepEqual(settled.slice(904).flat(), []);
    endings.settleAll();
    assert.deepEqual(endings.counts, empty);
  });

  test("entries that nobody claims are bounded: the oldest go", () => {
    const endings = withLog();
    for (let i = 0; i < 3000; i += 1) endings.heard(entry(`r${i}`));
    assert.equal(endings.counts.unclaimed, 1024);
    assert.deepEqual(ended(endings, "r2999")[0]?.[0]?.requestId, "r2999");
    assert.deepEqual(ended(endings, "r0"), []);
  });

  test("an entry with a long id is kept for nobody; its exchange is joined all the same", () => {
    const endings = withLog();
    const id = "x".repeat(50_000);
    endings.heard(entry(id));
    assert.equal(endings.counts.unclaimed, 0);
    const settled = ended(endings, id);
    endings.heard(entry(id));
    assert.equal(settled[0]?.[0]?.requestId, id);
  });

  test("two streams of one request, as two filters make them: the later one is joined", () => {
    const endings = withLog(0);
    const identity = { requestId: "a", startUs, heardMs: 1001 };
    const [first, second] = [endings.expect(identity), endings.expect(identity)];
    const settled: Settled = [];
    first.ended((found, lost) => settled.push([found, lost]));
    const own = entry("a");
    endings.heard(own);
    second.ended((found, lost) => settled.push([found, lost]));
    assert.deepEqual(settled, [...none, [own, false]]);
    assert.deepEqual(endings.counts, empty);
  });

  test("one that goes on beyond its stream is waited for until its entry, or the end of the log", (t) => {
    let at = 10_000;
    t.mock.method(performance, "now", () => at);
    t.mock.timers.enable(timers);
    const endings = withLog(1000);
    const first = ended(endings, "a", startUs, true);
    const second = ended(endings, "b", startUs, true);
    at = 90_000;
    t.mock.timers.tick(80_000);
    assert.deepEqual([first, second], [[], []]);
    const found = entry("a", { durationMs: 80_000 });
    endings.heard(found);
    assert.deepEqual([first, second], [[[found, false]], []]);
    endings.logClosed();
    assert.deepEqual(second, [[undefined, true]]);
    assert.deepEqual(endings.counts, empty);
  });

  test("those are bounded as well", () => {
    const endings = withLog();
    const settled = Array.from({ length: 1100 }, (_, i) => ended(endings, `r${i}`, startUs, true));
    assert.equal(settled.filter((one) => one.length > 0).length, 76);
  });

  test("at the end nothing waits any more", () => {
    const endings = withLog();
    const waiting = ended(endings, "a");
    const long = ended(endings, "l", startUs, true);
    endings.settleAll();
    assert.deepEqual([waiting, long, ended(endings, "b")], [none, none, none]);
  });

  test("wait 0: none waits", () => {
    assert.deepEqual(ended(withLog(0), "a"), none);
  });
});

describe("an Envoy that does not tell when it began", () => {
  test("of two exchanges with one id each gets the entry that began when it did", () => {
    const endings = withLog();
    const early = loose(endings, "same", 1000);
    const late = loose(endings, "same", 2000);
    const second = entry("same", { startUs: 1_998_000 });
    endings.heard(second);
    assert.deepEqual([early, late], [[], [[second, false]]]);
    const first = entry("same", { startUs: 999_000 });
    endings.heard(first);
    assert.deepEqual(early, [[first, false]]);
  });

  test("an entry of another time is nobody's", () => {
    const endings = withLog();
    const settled = loose(endings, "a", 1_000_000);
    for (const wrongMs of [0, 999_700, 1_000_300]) endings.heard(entry("a", { startUs: wrongMs * 1000 }));
    assert.deepEqual(settled, []);
  });

  test("one id used for ever is not held for ever", () => {
    const endings = withLog();
    const settled = Array.from({ length: 100 }, () => loose(endings, "same", 1000));
    assert.equal(settled.filter((one) => one.length === 1).length, 36);
    assert.equal(endings.counts.waiting, 64);
  });
});

test("without a log exchanges wait briefly at first, and then none does; after a log that closed they wait again", (t) => {
  let at = 10_000;
  t.mock.method(performance, "now", () => at);
  t.mock.timers.enable(timers);
  let missed = 0;
  const endings = joinEndings(
    () => 1000,
    () => {
      missed += 1;
    },
  );
  const probing = Array.from({ length: 500 }, (_, i) => ended(endings, `r${i}`));
  assert.deepEqual(probing.flat(), []);
  at += 250;
  t.mock.timers.tick(250);
  assert.deepEqual(probing.flat(), Array(500).fill([undefined, false]));
  at += 2000;
  assert.equal(missed, 0);
  assert.deepEqual(ended(endings, "after"), none);
  assert.deepEqual(ended(endings, "after that"), none);
  assert.equal(missed, 1, "told once");
  endings.logOpened();
  assert.deepEqual(ended(endings, "b"), []);
  endings.logClosed();
  // It may open anew at once.
  const again = ended(endings, "c");
  assert.deepEqual(again, []);
  at += 1000;
  t.mock.timers.tick(1000);
  // If it does not, Envoy has gone with it.
  assert.deepEqual(again, [[undefined, true]]);
  at += 3000;
  assert.deepEqual(ended(endings, "d"), none);
});
