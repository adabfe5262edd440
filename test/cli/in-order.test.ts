import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { inOrder } from "../../src/cli/in-order.ts";

const ample = { items: 100, weight: 1000, weigh: () => 1 };

/** Items whose work ends when the test says so. */
function bench() {
  const ends = new Map<number, (answer: string) => void>();
  const work = (item: number) => new Promise<string>((resolve) => ends.set(item, resolve));
  return { work, started: () => [...ends.keys()], end: (item: number) => ends.get(item)?.(`done ${item}`) };
}

/** As many turns of the event loop as anything here could need. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

test("answers keep the order of the items, whatever ends first", async () => {
  const { work, end } = bench();
  const got: string[] = [];
  const reading = (async () => {
    for await (const answer of inOrder([1, 2, 3], work, ample)) got.push(answer);
  })();
  await settle();
  end(3);
  end(2);
  await settle();
  assert.deepEqual(got, []);
  end(1);
  await reading;
  assert.deepEqual(got, ["done 1", "done 2", "done 3"]);
});

test("an answer is there before the next item is", async () => {
  const next = Promise.withResolvers<number>();
  async function* items() {
    yield 1;
    yield await next.promise;
  }
  const answers = inOrder(items(), async (item) => `done ${item}`, ample);
  assert.equal((await answers.next()).value, "done 1");
  next.resolve(2);
  assert.equal((await answers.next()).value, "done 2");
  assert.equal((await answers.next()).done, true);
});

test("no more items are under way than may be", async () => {
  const { work, started, end } = bench();
  const answers = inOrder([1, 2, 3, 4, 5], work, { ...ample, items: 2 });
  const first = answers.next();
  await settle();
  assert.deepEqual(started(), [1, 2]);
  end(2);
  await settle();
  assert.deepEqual(started(), [1, 2], "the place of 2 is taken until its turn has come");
  end(1);
  await first;
  await settle();
  assert.deepEqual(started(), [1, 2, 3]);
});

test("nor more weight; what is too heavy goes alone", async () => {
  const { work, started, end } = bench();
  const answers = inOrder([1, 99, 3, 4], work, { ...ample, weight: 10, weigh: (item: number) => item });
  const first = answers.next();
  await settle();
  assert.deepEqual(started(), [1]);
  end(1);
  await first;
  await settle();
  assert.deepEqual(started(), [1, 99]);
  const second = answers.next();
  end(99);
  await second;
  await settle();
  assert.deepEqual(started(), [1, 99, 3, 4]);
});

test("a reader that waits holds up the source", async () => {
  let taken = 0;
  async function* items() {
    for (let i = 0; i < 1000; i++) {
      taken += 1;
      yield i;
    }
  }
  const answers = inOrder(items(), async (item) => item, { ...ample, items: 5 });
  await answers.next();
  await settle();
  assert.ok(taken <= 7, String(taken));
});

test("a failure of the work or of the source reaches the reader", async () => {
  const failing = async (item: number) => {
    if (item === 2) throw new Error("work");
    return item;
  };
  const got: number[] = [];
  await assert.rejects(async () => {
    for await (const answer of inOrder([1, 2, 3], failing, ample)) got.push(answer);
  }, /^Error: work$/);
  assert.deepEqual(got, [1]);
  async function* broken() {
    yield 1;
    throw new Error("source");
  }
  await assert.rejects(async () => {
    for await (const answer of inOrder(broken(), async (item) => item, ample)) got.push(answer);
  }, /^Error: source$/);
  assert.deepEqual(got, [1, 1]);
});

test("a reader that leaves ends it", async () => {
  let closed = false;
  async function* items() {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      closed = true;
    }
  }
  for await (const _ of inOrder(items(), async (item) => item, { ...ample, items: 2 })) break;
  await settle();
  assert.ok(closed);
});
