import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Outputs } from "../../src/models/model.ts";
import { type Judged, judged, keyOf, PLAIN, Remembered } from "../../src/models/remembered.ts";

const verdict = (jailbreak: number, rows = 0): Judged => ({
  jailbreak,
  places: new Uint8Array(rows),
  logits: new Float32Array(rows * 37),
});

describe("remembered windows", () => {
  test("are found by all of their tokens and cases, and by nothing less", () => {
    const window = { ids: Int32Array.of(2, 700, 70_000, 3), cases: Int32Array.of(0, 1, 3, 0) };
    const key = keyOf(window);
    assert.equal(keyOf({ ids: window.ids.slice(), cases: window.cases.slice() }), key);
    const keys = [
      key,
      keyOf({ ...window, ids: Int32Array.of(2, 701, 70_000, 3) }),
      keyOf({ ...window, ids: Int32Array.of(2, 700, 4464, 3) }),
      keyOf({ ...window, ids: Int32Array.of(2, 70_000, 700, 3) }),
      keyOf({ ...window, cases: Int32Array.of(0, 1, 2, 0) }),
      keyOf({ ids: window.ids.slice(1), cases: window.cases.slice(1) }),
    ];
    assert.equal(new Set(keys).size, keys.length);
  });

  test("are kept within their bytes, those that were used last", () => {
    const memory = new Remembered(30_000);
    for (let i = 0; i < 1000; i++) {
      memory.put(`window ${i}`, verdict(i, 10));
      assert.ok(memory.bytes <= 30_000);
      assert.equal(memory.get("window 0")?.jailbreak, 0, "used all the time");
    }
    const kept = Array.from({ length: 1000 }, (_, i) => i).filter((i) => memory.get(`window ${i}`));
    assert.ok(kept.length > 10 && kept.length < 20, `${kept.length}`);
    assert.deepEqual(
      kept.slice(1),
      Array.from({ length: kept.length - 1 }, (_, i) => 1001 - kept.length + i),
    );
  });

  test("one put twice counts once; one that is too large is not kept", () => {
    const memory = new Remembered(10_000);
    memory.put("a", verdict(1));
    const { bytes } = memory;
    memory.put("a", verdict(2));
    assert.equal(memory.bytes, bytes);
    assert.equal(memory.get("a")?.jailbreak, 2);
    memory.put("b", verdict(3, 100));
    assert.equal(memory.get("b"), undefined);
    assert.equal(memory.bytes, 0);
  });
});

test("of a window only tokens that may belong to an entity are kept, as they are", () => {
  const rows = [
    [9, 9, 9], // [CLS]
    [PLAIN + 1, 0.5, 0.75],
    [PLAIN, 0.5, -1],
    [0.1, 0.2, 0.3],
    [PLAIN, -1, 0],
    [9, 9, 9], // [SEP]
  ];
  const out = { tags: Float32Array.from(rows.flat()) } as Outputs;
  const { jailbreak, places, logits } = judged(out, 3, 0.25);
  assert.equal(jailbreak, 0.25);
  assert.deepEqual([...places], [1, 2]);
  assert.deepEqual(logits, Float32Array.of(PLAIN, 0.5, -1, 0.1, 0.2, 0.3));
});
