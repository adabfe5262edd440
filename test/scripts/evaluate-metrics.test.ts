import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  auc,
  binned,
  calibrationError,
  cutAt,
  f1,
  family,
  grouped,
  precision,
  recall,
  uncertainty,
} from "../../scripts/evaluate/metrics.ts";

const near = (got: number, want: number) => assert.ok(Math.abs(got - want) < 1e-12, `${got}, not ${want}`);

describe("measures of the evaluation, against figures worked out by hand", () => {
  test("calibration error weighs each bin's gap by its size", () => {
    const judged = [
      { score: 0.95, right: true },
      { score: 0.95, right: false },
      { score: 0.35, right: false },
      { score: 0.37, right: true },
    ];
    // Gaps: |0.95 - 0.5| of two, |0.36 - 0.5| of two.
    near(calibrationError(judged), (2 * 0.45 + 2 * 0.14) / 4);
    near(calibrationError([{ score: 1, right: true }]), 0);
  });

  test("a score of 1 is in the last bin, one on an edge in the upper", () => {
    const at = (score: number) => binned([{ score, right: true }]).findIndex((bin) => bin.length > 0);
    assert.deepEqual([at(0), at(1 / 15 + 1e-9), at(0.5), at(1)], [0, 1, 7, 14]);
  });

  test("AUC counts ties half", () => {
    near(auc([0.9, 0.5], [0.5, 0.1]), (1 + 1 + 0.5 + 1) / 4);
    near(auc([0.1], [0.2, 0.3]), 0);
    assert.ok(Number.isNaN(auc([], [1])));
  });

  test("the cut leaves no more false alarms than allowed", () => {
    const benign = Array.from({ length: 200 }, (_, i) => i / 200);
    for (const [share, allowed] of [
      [0.005, 1],
      [0.01, 2],
      [0.02, 4],
      [0, 0],
    ] as const) {
      const cut = cutAt(share, benign);
      assert.equal(benign.filter((score) => score > cut).length, allowed);
    }
    assert.equal(cutAt(1, [0.3]), Number.NEGATIVE_INFINITY);
    assert.equal(cutAt(0.5, [0.7, 0.7, 0.7]), 0.7, "equal scores fall together");
  });

  test("spans", () => {
    const counts = { hits: 3, found: 4, wanted: 6 };
    near(precision(counts), 0.75);
    near(recall(counts), 0.5);
    near(f1(counts), 0.6);
  });

  test("the rest", () => {
    near(uncertainty(0.5, 100), 0.098);
    assert.equal(family("openstax/college-physics"), "openstax");
    assert.deepEqual(
      [...grouped([1, 2, 3], (n) => ["all", n % 2 ? "odd" : "even"])],
      [
        ["all", [1, 2, 3]],
        ["odd", [1, 3]],
        ["even", [2]],
      ],
    );
  });
});
