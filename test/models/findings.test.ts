import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Entity } from "../../src/models/encode.ts";
import { Findings } from "../../src/models/findings.ts";
import { Joined } from "../../src/models/sections.ts";

const entity = (start: number, end: number, score: number): Entity => ({
  type: "PERSON",
  start,
  end,
  score,
  by: "model",
});

describe("findings that are settled bit by bit", () => {
  test("of those that overlap across the border one stays, as if all had been there at once", () => {
    const chain = [entity(0, 6, 0.6), entity(4, 12, 0.7), entity(11, 20, 0.8), entity(30, 40, 0.9)];
    for (let border = 0; border <= 50; border++) {
      const findings = new Findings(new Joined(["x".repeat(50)]));
      for (const one of chain) if (one.start < border) findings.add(one);
      findings.settle(border);
      for (const one of chain) if (one.start >= border) findings.add(one);
      const [found] = findings.lists();
      assert.deepEqual(
        found!.map(({ start, end }) => [start, end]),
        [
          [0, 6],
          [11, 20],
          [30, 40],
        ],
        `${border}`,
      );
    }
  });

  test("one across two texts is told in both, with places of their own", () => {
    const findings = new Findings(new Joined(["Ann", "Lee is here", ""]));
    findings.add(entity(0, 7, 0.5));
    findings.settle(8);
    assert.deepEqual(findings.lists(), [[entity(0, 3, 0.5)], [entity(0, 3, 0.5)], []]);
    assert.equal(findings.leftOut, 0);
  });
});
