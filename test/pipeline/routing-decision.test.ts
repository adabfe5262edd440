import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { candidatesFor } from "../../src/pipeline/candidates.ts";
import type { Classified } from "../../src/pipeline/classified.ts";
import { modelDirectory } from "../../src/pipeline/models.ts";
import { routingDecision } from "../../src/pipeline/routing-decision.ts";
import { classifiedAs, configOf, newTrace, onlySpan } from "../support/pipeline.ts";

const yaml = `
vllm_endpoints: [{ name: one, address: 127.0.0.1, port: 8001 }]
model_config:
  strict: { preferred_endpoints: [one], reasoning_family: gpt, loras: [{ name: strict-lora }] }
  names: { preferred_endpoints: [one], pii_policy: { pii_types_allowed: [PERSON] } }
  open: { preferred_endpoints: [one], pii_policy: { allow_by_default: true } }
reasoning_families: { gpt: { type: reasoning_effort } }
default_model: open
categories:
  - name: math
    model_scores:
      - { model: open, score: 0.25, use_reasoning: false }
      - { model: strict, lora_name: strict-lora, score: 0.75, use_reasoning: true, reasoning_effort: high }
      - { model: names, score: 0.5, use_reasoning: true }
  - name: chat
    model_scores: [{ model: names, score: 0.5, use_reasoning: false }]
  - name: proof
    model_scores:
      - { model: open, score: 0.25, use_reasoning: false }
      - { model: strict, score: 0.75, use_reasoning: true }
`;
const config = configOf(yaml);
const [math, chat] = config.categories;

async function decide(classified: Classified, piiTypes: readonly string[] = [], settings = config) {
  const at = newTrace();
  const candidates = candidatesFor(settings, modelDirectory(settings))(classified);
  const decision = await routingDecision(settings).auto(candidates, classified, piiTypes, "auto", at);
  return { decision, ...onlySpan(at) };
}

test("the best candidate, with its own flag and effort, and all of it on the span", async () => {
  const { decision, attributes } = await decide(classifiedAs(math));
  assert.deepEqual(
    [decision?.strategy, decision?.model.name, decision?.model.base, decision?.category?.name],
    ["auto", "strict-lora", "strict", "math"],
  );
  assert.deepEqual(decision?.reasoning, { enabled: true, effort: "high" });
  assert.deepEqual(attributes, {
    "routing.strategy": "auto",
    "routing.reason": "very_low_uncertainty_trust_classification",
    "routing.original_model": "auto",
    "routing.selected_model": "strict-lora",
    "model.name": "strict-lora",
    "category.name": "math",
    "reasoning.enabled": true,
    "reasoning.effort": "high",
    "reasoning.family": "gpt",
    "reasoning.reason": "very_low_uncertainty_trust_classification",
    "routing.candidates": ["strict-lora=0.75", "names=0.5", "open=0.25", "open=default"],
    "routing.margin": 0.25,
  });
});

describe("personal data", () => {
  const cases: readonly [string, string[], string, string[] | undefined, number | undefined][] = [
    ["nothing found", [], "strict-lora", undefined, 0.25],
    // The adapter is refused by its base model's policy.
    ["a type the best may not see", ["PERSON"], "names", ["strict-lora=0.75: pii_policy"], 0.25],
    [
      "a type only one may see",
      ["EMAIL_ADDRESS"],
      "open",
      ["strict-lora=0.75: pii_policy", "names=0.5: pii_policy"],
      undefined,
    ],
    [
      "one allowed type among others",
      ["PERSON", "US_SSN"],
      "open",
      ["strict-lora=0.75: pii_policy", "names=0.5: pii_policy"],
      undefined,
    ],
  ];
  for (const [name, types, model, refused, margin] of cases) {
    test(name, async () => {
      const { decision, attributes } = await decide(classifiedAs(math), types);
      assert.equal(decision?.model.name, model);
      assert.deepEqual(attributes["routing.refused"], refused);
      assert.equal(attributes["routing.margin"], margin);
      const reason = refused
        ? "pii_policy_alternative_selected"
        : "very_low_uncertainty_trust_classification";
      assert.equal(attributes["routing.reason"], reason);
    });
  }

  test("the reasoning flag is that of the model that was chosen instead", async () => {
    const { decision } = await decide(classifiedAs(math), ["EMAIL_ADDRESS"]);
    assert.deepEqual(decision?.reasoning, { enabled: false, effort: "medium" });
    const { decision: second } = await decide(classifiedAs(math), ["PERSON"]);
    assert.deepEqual(second?.reasoning, { enabled: true, effort: "medium" });
  });

  test("the default model takes over where the category has none left", async () => {
    const { decision, attributes } = await decide(classifiedAs(chat), ["US_SSN"]);
    assert.equal(decision?.model.name, "open");
    assert.equal(attributes["reasoning.reason"], "default_model");
    assert.equal(decision?.reasoning?.enabled, false);
  });
});

describe("without a candidate", () => {
  const bare = configOf(yaml.replace("default_model: open", ""));
  const cases = [
    ["no category and no default model", undefined, [], bare],
    ["nobody may see it", chat, ["US_SSN"], bare],
  ] as const;
  for (const [name, category, types, settings] of cases) {
    test(name, async () => {
      const { decision, span, attributes } = await decide(classifiedAs(category), types, settings);
      assert.equal(decision, undefined);
      assert.equal(span.error, "no_candidate");
      assert.equal(attributes["routing.reason"], "no_candidate");
    });
  }
});

test("a category that is not sure asks its neighbours", async () => {
  const scores = [
    ["chat", 0.45],
    ["math", 0.4],
    ["history", 0.1],
    ["law", 0.03],
    ["art", 0.01],
    ["sport", 0.01],
  ] as const;
  const { decision, attributes } = await decide({ category: chat, confidence: 0.45, by: "model", scores });
  // .45 against .40: the neighbours' word is heard and outvoted; with math ahead it would reason.
  assert.equal(decision?.reasoning?.enabled, false);
  assert.equal(attributes["reasoning.reason"], "high_uncertainty_weighted_decision");
  const swapped = scores.map(
    ([name, p]) => [name === "chat" ? "math" : name === "math" ? "chat" : name, p] as const,
  );
  const other = await decide({ category: math, confidence: 0.45, by: "model", scores: swapped });
  assert.equal(other.decision?.reasoning?.enabled, true);
});

test("a neighbour answers for its best model, wherever that is listed", async () => {
  const scores = [["chat", 0.48] as const, ["math", 0.26] as const, ["proof", 0.26] as const];
  const others = ["a", "b", "c"].map((name) => [name, 0] as const);
  const classified = {
    category: chat,
    confidence: 0.48,
    by: "model",
    scores: [...scores, ...others],
  } as const;
  const { decision, attributes } = await decide(classified);
  assert.equal(attributes["reasoning.reason"], "medium_uncertainty_weighted");
  assert.equal(decision?.reasoning?.enabled, true);
});

test("the threshold of the classifier is the one at medium uncertainty", async () => {
  const scores = ["math", "chat", "a", "b", "c", "d"].map(
    (name, i) => [name, [0.7, 0.15, 0.1, 0.03, 0.01, 0.01][i]!] as const,
  );
  const at = async (threshold: number) => {
    const settings = configOf(`${yaml}\nclassifier: { category_model: { threshold: ${threshold} } }`);
    const { attributes } = await decide(
      { category: math, confidence: 0.7, by: "model", scores },
      [],
      settings,
    );
    return attributes["reasoning.reason"];
  };
  assert.equal(await at(0.6), "medium_uncertainty_top_category_above_threshold");
  assert.equal(await at(0.75), "medium_uncertainty_weighted");
});

test("a specified model leaves reasoning and category alone", async () => {
  const at = newTrace();
  const model = modelDirectory(config).named("strict-lora");
  const decision = await routingDecision(config).specified(model, "strict-lora", at);
  assert.deepEqual(decision, { strategy: "specified", model, category: undefined, reasoning: undefined });
  assert.deepEqual(onlySpan(at).attributes, {
    "routing.strategy": "specified",
    "routing.reason": "model_specified",
    "routing.original_model": "strict-lora",
    "routing.selected_model": "strict-lora",
    "model.name": "strict-lora",
    "reasoning.enabled": false,
  });
});
