import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EncodeError } from "../../src/models/encode.ts";
import { StageFault } from "../../src/outcome.ts";
import { classification } from "../../src/pipeline/classification.ts";
import { asks, attributesOf, chatOf, configOf, newTrace, onlySpan, passOf } from "../support/pipeline.ts";

const yaml = `
categories:
  - { name: Science, mmlu_categories: [physics, Chemistry], model_scores: [{ model: m, score: 1, use_reasoning: true }] }
  - { name: law, model_scores: [{ model: m, score: 1, use_reasoning: false }] }
keyword_rules: [{ category: law, operator: OR, keywords: [sue] }]
classifier: { category_model: { threshold: 0.625 } }
default_model: m
`;
const labels = ["physics", "chemistry", "LAW", "history"];
const config = configOf(yaml);

async function classify(probabilities: readonly number[], text = "a question", settings = config) {
  const at = newTrace();
  const chat = asks(text);
  const pass = passOf(chat, () => ({ category: Float32Array.from(probabilities) }));
  const found = await classification(settings, labels)(chat, pass, at);
  return { found, name: found.category?.name, ...onlySpan(at) };
}

describe("from the model's scores", () => {
  const cases: readonly [string, number[], string | undefined, number][] = [
    ["a label that a category lists", [0.7, 0.1, 0.1, 0.1], "Science", 0.8],
    ["labels of one category add up past the threshold", [0.35, 0.3, 0.2, 0.15], "Science", 0.65],
    ["and past a single higher one", [0.3, 0.25, 0.4, 0.05], undefined, 0.55],
    ["a category's own name, in any case", [0.1, 0.05, 0.8, 0.05], "law", 0.8],
    ["at the threshold", [0, 0, 0.625, 0.375], "law", 0.625],
    ["below it", [0.2, 0.2, 0.35, 0.25], undefined, 0.4],
    ["a label that no category stands for", [0.02, 0.02, 0.06, 0.9], undefined, 0.9],
  ];
  for (const [name, probabilities, category, confidence] of cases) {
    test(name, async () => {
      const { found, attributes, ...got } = await classify(probabilities);
      assert.equal(got.name, category);
      assert.equal(found.confidence.toFixed(3), confidence.toFixed(3));
      assert.equal(found.by, "model");
      assert.equal(attributes["category.name"], category ?? "");
      assert.equal(attributes["category.confidence"], found.confidence);
      assert.equal(attributes["classifier.type"], "encoder");
      assert.equal(attributes["classification.threshold"], 0.625);
    });
  }

  test("scores are one per category, highest first, and the span names the runner-up", async () => {
    const { found, attributes } = await classify([0.3, 0.25, 0.4, 0.05]);
    assert.deepEqual(
      found.scores.map(([name, score]) => `${name} ${score.toFixed(2)}`),
      ["Science 0.55", "law 0.40", "history 0.05"],
    );
    assert.equal(attributes["classification.runner_up"], "law");
    assert.equal((attributes["classification.margin"] as number).toFixed(2), "0.15");
  });
});

describe("by keyword", () => {
  test("a keyword wins over the model, which is not asked", async () => {
    const chat = asks("may I sue them");
    const pass = passOf(chat, () => assert.fail("the encoder was asked"));
    const at = newTrace();
    const found = await classification(config, labels)(chat, pass, at);
    const { category, ...rest } = found;
    assert.equal(category?.name, "law");
    // The only score: certain, so that reasoning follows the category the keyword chose.
    assert.deepEqual(rest, { confidence: 1, by: "keyword", scores: [["law", 1]] });
    const { attributes } = onlySpan(at);
    assert.equal(attributes["classifier.type"], "keyword");
    assert.equal(attributes["classifier.keyword_rule"], 0);
  });

  test("only the last user turn is looked at, the whole of it", async () => {
    const earlier = [
      { role: "user", content: "may I sue them" },
      { role: "assistant", content: "sue" },
      { role: "user", content: [{ type: "text", text: "thanks" }] },
    ];
    const parts = [
      {
        role: "user",
        content: [
          { type: "text", text: "may I" },
          { type: "text", text: "sue" },
        ],
      },
    ];
    for (const [messages, by] of [
      [earlier, "model"],
      [parts, "keyword"],
    ] as const) {
      const chat = chatOf({ model: "auto", messages });
      const pass = passOf(chat, (text) => ({
        category: Float32Array.from(text === "thanks" ? [0, 0, 0, 1] : [1, 0, 0, 0]),
      }));
      const found = await classification(config, labels)(chat, pass, newTrace());
      assert.equal(found.by, by);
      assert.equal(found.scores[0]?.[0], by === "model" ? "history" : "law");
    }
  });
});

describe("when the model fails", () => {
  const failing = async (onError: string, error: Error) => {
    const at = newTrace();
    const chat = asks("x");
    const policy = configOf(yaml.replace("threshold: 0.625", `threshold: 0.625, on_error: ${onError}`));
    const pass = passOf(chat, () => {
      throw error;
    });
    const result = classification(policy, labels)(chat, pass, at);
    return { settled: (await Promise.allSettled([result]))[0], at };
  };
  const died = new EncodeError("worker_died", "the worker died on: secret");

  test("allow: no category, and the span says why", async () => {
    const { settled, at } = await failing("allow", died);
    assert.equal(settled.status, "fulfilled");
    assert.deepEqual(settled.value, { category: undefined, confidence: 0, by: "none", scores: [] });
    const { span, attributes } = onlySpan(at);
    assert.equal(attributes["error.type"], "worker_died");
    assert.equal(attributes["stage.on_error"], "allow");
    assert.equal(span.error, "worker_died, allowed by on_error");
    // Nothing that reads as if the model had answered.
    assert.equal(attributes["classifier.type"], "none");
    assert.equal(attributes["category.confidence"], undefined);
  });

  test("refuse: a fault that names stage and reason, nothing else", async () => {
    const { settled, at } = await failing("refuse", died);
    assert.equal(settled.status, "rejected");
    assert.ok(settled.reason instanceof StageFault);
    assert.equal(settled.reason.message, "classification: worker_died");
    assert.equal(onlySpan(at).span.error, "worker_died");
  });

  test("what is no failure of the model is never allowed", async () => {
    for (const error of [new TypeError("a bug"), new DOMException("gone", "AbortError")]) {
      const { settled, at } = await failing("allow", error);
      assert.equal(settled.status, "rejected");
      assert.equal(settled.reason, error);
      assert.equal(
        attributesOf(at.children[0]!)["error.type"],
        error.name === "AbortError" ? "aborted" : "TypeError",
      );
    }
  });
});
