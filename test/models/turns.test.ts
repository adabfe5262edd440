import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Turns } from "../../src/models/turns.ts";

/** Names of the tasks in the order in which they are done, a unit of work each turn. */
function order(arrivals: readonly (readonly [turn: number, name: string, left: number])[]): string[] {
  const turns = new Turns<{ name: string; left: number }>();
  const done: string[] = [];
  for (let turn = 0; done.length < arrivals.length; turn++) {
    for (const [at, name, left] of arrivals) if (at === turn) turns.add({ name, left });
    const task = turns.next();
    if (!task) continue;
    task.left -= 1;
    if (task.left > 0) continue;
    turns.remove(task);
    done.push(task.name);
  }
  return done;
}

describe("turns", () => {
  test("the small are done before the large, whoever came first", () => {
    assert.deepEqual(
      order([
        [0, "huge", 1000],
        [5, "small", 1],
        [5, "medium", 20],
        [6, "tiny", 1],
      ]),
      ["small", "tiny", "medium", "huge"],
    );
  });

  test("among equals the first to come is the first to be done", () => {
    assert.deepEqual(
      order([
        [0, "a", 3],
        [0, "b", 3],
        [0, "c", 3],
      ]),
      ["a", "b", "c"],
    );
  });

  test("one that is nearly done is not overtaken", () => {
    assert.deepEqual(
      order([
        [0, "a", 5],
        [3, "b", 3],
      ]),
      ["a", "b"],
    );
  });

  test("a stream of small ones does not keep a large one waiting for good", () => {
    const stream = Array.from({ length: 400 }, (_, i) => [i, `small ${i}`, 1] as const);
    const done = order([[0, "large", 20], ...stream]);
    assert.ok(done.indexOf("large") < 300, `${done.indexOf("large")}`);
  });

  test("there is nothing to do where there is nobody", () => {
    assert.equal(new Turns().next(), undefined);
  });
});
