import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NUMBER_DIMS, withNumbers } from "../../src/models/numbers.ts";

const meaning = Float32Array.of(0.6, 0.8);
const alike = (a: string, b: string) => {
  const [x, y] = [withNumbers(meaning, a), withNumbers(meaning, b)];
  return x.reduce((sum, value, i) => sum + value * y[i]!, 0);
};

describe("numbers in the sentence vector", () => {
  test("it stays of unit length, the model's part in front", () => {
    for (const text of ["", "no number", "15 miles", "1 2 3 4 5"]) {
      const vector = withNumbers(meaning, text);
      assert.equal(vector.length, 2 + NUMBER_DIMS);
      assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-6);
      assert.ok(Math.abs(vector[1]! / vector[0]! - 0.8 / 0.6) < 1e-6);
    }
  });

  for (const [a, b] of [
    ["15 miles", "15 km"],
    ["no number", "none either"],
    ["1,000 people", "1000 people"],
    ["call at 10:30", "at 10:30, call"],
    ["１５ miles", "15 miles"],
    ["15 and 15", "15"],
    ["2 then 3", "3 then 2"],
  ] as const)
    test(`the same numbers: ${a} | ${b}`, () => assert.ok(alike(a, b) > 0.9999));

  for (const [a, b] of [
    ["15 miles", "16 miles"],
    ["15 miles", "miles"],
    ["version 1.2", "version 1.3"],
    ["10:30", "10:45"],
    ["2024-03-05", "2024-03-06"],
    ["3 people", "30 people"],
    ["1.5", "15"],
  ] as const)
    test(`other numbers: ${a} | ${b}`, () => assert.ok(alike(a, b) < 0.92, String(alike(a, b))));

  test("one of many in common lies between", () => {
    const some = alike("1 2 3 4", "1 2 3 5");
    assert.ok(some > alike("1 2 3 4", "6 7 8 9") && some < 0.9999);
  });
});
