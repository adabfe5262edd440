import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decideReasoning, normalisedEntropy, type ReasoningVote } from "../../src/pipeline/reasoning.ts";

const veryHigh = "very_high_uncertainty_conservative_default";
const high = "high_uncertainty_weighted_decision";
const mediumTop = "medium_uncertainty_top_category_above_threshold";
const mediumVote = "medium_uncertainty_weighted";
const low = "low_uncertainty_trust_classification";
const veryLow = "very_low_uncertainty_trust_classification";
const unknownTop = "category_not_in_reasoning_map";

type Flags = readonly (boolean | undefined)[];
const votes = (probabilities: readonly number[], flags: Flags): ReasoningVote[] =>
  probabilities.map((probability, i) => ({ probability, reason: flags[i] }));

describe("vLLM Semantic Router's entropy vectors", () => {
  // Entropy over that of a uniform answer, recomputed by hand; then the level that shows in the reason.
  const vectors: readonly [number[], number, string][] = [
    [[0.85, 0.05, 0.03, 0.03, 0.02, 0.02], 0.3655, low],
    [[0.17, 0.17, 0.17, 0.17, 0.16, 0.16], 0.9998, veryHigh],
    [[0.45, 0.4, 0.1, 0.03, 0.01, 0.01], 0.6437, high],
    [[0.9, 0.04, 0.02, 0.02, 0.01, 0.01], 0.2635, low],
    [[0.7, 0.15, 0.1, 0.03, 0.01, 0.01], 0.5368, mediumTop],
    [[0.25, 0.25, 0.25, 0.25], 1, veryHigh],
    [[1, 0, 0, 0], 0, veryLow],
    [[0.85, 0.05, 0.05, 0.05], 0.4238, mediumTop],
    [[0.7, 0.15, 0.1, 0.05], 0.6595, high],
    [[0.9, 0.04, 0.03, 0.02, 0.01], 0.2815, low],
    [[0.85, 0.08, 0.04, 0.03], 0.4141, mediumTop],
    [[0.4, 0.35, 0.15, 0.1], 0.9007, veryHigh],
    [[0.98, 0.01, 0.01], 0.1018, veryLow],
    [[1], 0, veryLow],
  ];
  for (const [probabilities, entropy, why] of vectors) {
    test(`${probabilities.join(" ")} has ${entropy}: ${why}`, () => {
      const all = probabilities.map(() => true);
      assert.ok(Math.abs(normalisedEntropy(probabilities) - entropy) < 0.0002);
      assert.deepEqual(decideReasoning(votes(probabilities, all), 0.6), { enabled: true, why });
    });
  }
});

describe("whose flag counts", () => {
  const on = true;
  const off = false;
  const none = undefined;
  const cases: readonly [string, number[], Flags, boolean, string, number?][] = [
    ["nothing was classified", [], [], off, "no_classification_data"],
    ["certain, top does not reason", [0.85, 0.05, 0.03, 0.03, 0.02, 0.02], [off, on, on, on, on], off, low],
    ["certain, top reasons", [0.9, 0.04, 0.02, 0.02, 0.01, 0.01], [on, off, off, off], on, low],
    ["certain, nobody knows the top", [0.9, 0.04, 0.02, 0.02, 0.01, 0.01], [none, on, on], off, unknownTop],
    ["sure, nobody knows the top", [1, 0], [none, on], off, unknownTop],
    ["sure, top does not reason", [1, 0], [off, on], off, veryLow],
    ["no idea: reason to be safe", [0.17, 0.17, 0.17, 0.17, 0.16, 0.16], [off, off, off], on, veryHigh],
    ["torn, the second reasons", [0.45, 0.4, 0.1, 0.03, 0.01, 0.01], [off, on, on], off, high],
    ["torn, the first reasons", [0.45, 0.4, 0.1, 0.03, 0.01, 0.01], [on, off, off], on, high],
    ["torn, an exact half is not more", [0.44, 0.44, 0.06, 0.03, 0.02, 0.01], [on, off], off, high],
    ["torn, the unknown do not vote", [0.45, 0.4, 0.1, 0.03, 0.01, 0.01], [none, on, off], on, high],
    ["torn, a third does not vote", [0.45, 0.4, 0.1, 0.03, 0.01, 0.01], [none, none, on], off, high],
    ["medium, top is enough", [0.7, 0.15, 0.1, 0.03, 0.01, 0.01], [off, on, on], off, mediumTop],
    ["medium, top at the threshold", [0.7, 0.15, 0.1, 0.03, 0.01, 0.01], [on, off, off], on, mediumTop, 0.7],
    ["medium, top below it", [0.7, 0.15, 0.1, 0.03, 0.01, 0.01], [on, off, off], on, mediumVote, 0.8],
    ["medium, top below it and off", [0.7, 0.15, 0.1, 0.03, 0.01, 0.01], [off, on, on], off, mediumVote, 0.8],
    ["medium, top unknown", [0.7, 0.15, 0.1, 0.03, 0.01, 0.01], [none, on, off], on, mediumVote],
    ["medium, the third votes", [0.7, 0.15, 0.1, 0.03, 0.01, 0.01], [none, none, on], on, mediumVote],
    [
      "medium, a fourth does not",
      [0.7, 0.15, 0.1, 0.03, 0.01, 0.01],
      [none, none, none, on],
      off,
      mediumVote,
    ],
  ];
  for (const [name, probabilities, flags, enabled, why, threshold = 0.6] of cases) {
    test(name, () => {
      assert.deepEqual(decideReasoning(votes(probabilities, flags), threshold), { enabled, why });
    });
  }
});
