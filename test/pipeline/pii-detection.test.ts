import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EncodeError, type Entity } from "../../src/models/encode.ts";
import { StageFault } from "../../src/outcome.ts";
import { type PiiVerdict, piiDetection } from "../../src/pipeline/pii-detection.ts";
import { deniedTypes } from "../../src/pipeline/pii-policy.ts";
import { chatOf, classifiedAs, configOf, newTrace, onlySpan, passOf } from "../support/pipeline.ts";

const yaml = `
model_config:
  strict: {}
  names: { pii_policy: { pii_types_allowed: [PERSON, GPE] } }
  open: { pii_policy: { allow_by_default: true } }
  both: { pii_policy: { allow_by_default: true, pii_types_allowed: [PERSON] } }
classifier: { pii_model: { threshold: 0.7 } }
categories:
  - { name: plain, model_scores: [{ model: open, score: 1, use_reasoning: false }] }
  - { name: "off", pii_enabled: false, model_scores: [{ model: open, score: 1, use_reasoning: false }] }
  - { name: "on", pii_enabled: true, model_scores: [{ model: open, score: 1, use_reasoning: false }] }
  - { name: keen, pii_threshold: 0.3, model_scores: [{ model: open, score: 1, use_reasoning: false }] }
  - { name: calm, pii_threshold: 0.95, model_scores: [{ model: open, score: 1, use_reasoning: false }] }
`;
const config = configOf(yaml);
const policyOff = configOf(yaml.replace("threshold: 0.7", "threshold: 0.7, enabled: false"));
const entity = (type: string, score: number): Entity => ({ type, score, start: 0, end: 1, by: "model" });

/** What the encoder finds in each text, by the text itself: "PERSON 0.8 GPE 0.9". */
const found = (text: string) => ({
  entities: [...text.matchAll(/([A-Z_]+) ([\d.]+)/g)].map(([, type, score]) => entity(type!, Number(score))),
});

async function detect(
  texts: readonly string[],
  models: readonly string[],
  { category = "plain", settings = config, roles = ["user"] } = {},
) {
  const at = newTrace();
  const messages = texts.map((content, i) => ({ role: roles[i] ?? "user", content }));
  const pass = passOf(
    chatOf({ model: "auto", messages: [...messages, { role: "user", content: "x" }] }),
    found,
  );
  const classified = classifiedAs(settings.categories.find(({ name }) => name === category));
  const verdict = await piiDetection(settings)(pass, Promise.resolve(classified), () => models, at);
  return { verdict, at };
}

const clear: PiiVerdict = { kind: "clear" };
const seen = (...types: string[]): PiiVerdict => ({ kind: "found", types });
const refused = (model: string, ...denied: string[]): PiiVerdict => ({ kind: "refused", denied, model });

describe("verdicts", () => {
  const cases: readonly [string, string[], string[], PiiVerdict, { category?: string }?][] = [
    ["nothing there", ["hello"], ["strict"], clear],
    ["below the threshold", ["PERSON 0.69"], ["strict"], clear],
    ["at the threshold", ["PERSON 0.7"], ["strict"], refused("strict", "PERSON")],
    ["a model that allows everything", ["PERSON 0.8"], ["open"], seen("PERSON")],
    ["a model that allows this type", ["PERSON 0.8"], ["names"], seen("PERSON")],
    ["one of two types allowed", ["PERSON 0.8 US_SSN 1"], ["names"], refused("names", "US_SSN")],
    ["another model may see it", ["US_SSN 1"], ["strict", "names", "open"], seen("US_SSN")],
    ["none may: the best is named", ["US_SSN 1"], ["names", "strict"], refused("names", "US_SSN")],
    ["a model without an entry has no policy", ["US_SSN 1"], ["unheard-of"], seen("US_SSN")],
    ["nobody to answer: not this stage's refusal", ["US_SSN 1"], [], seen("US_SSN")],
    [
      "types once, sorted, over all messages",
      ["US_SSN 1 GPE 1", "GPE 0.9 AGE 1"],
      ["open"],
      seen("AGE", "GPE", "US_SSN"),
    ],
    ["a category that switches it off", ["US_SSN 1"], ["strict"], clear, { category: "off" }],
    [
      "a category that leaves it on",
      ["US_SSN 1"],
      ["strict"],
      refused("strict", "US_SSN"),
      { category: "on" },
    ],
    [
      "a category with a lower threshold",
      ["PERSON 0.3"],
      ["strict"],
      refused("strict", "PERSON"),
      { category: "keen" },
    ],
    ["a category with a higher one", ["PERSON 0.9"], ["strict"], clear, { category: "calm" }],
  ];
  for (const [name, texts, models, expected, options = {}] of cases) {
    test(name, async () => {
      const { verdict, at } = await detect(texts, models, options);
      assert.deepEqual(verdict, expected);
      if (options.category === "off") return assert.equal(at.children.length, 0, "no span without the stage");
      const { attributes, span } = onlySpan(at);
      assert.equal(attributes["pii.detected"], verdict.kind !== "clear");
      assert.equal(attributes["security.action"], verdict.kind === "refused" ? "blocked" : "allowed");
      assert.equal(attributes["pii.threshold"], { keen: 0.3, calm: 0.95 }[options.category ?? ""] ?? 0.7);
      assert.equal(span.error, undefined, "a refusal is no error");
    });
  }

  test("every message counts, of whatever role", async () => {
    for (const role of ["system", "developer", "assistant", "user", "wizard"]) {
      const { verdict } = await detect(["US_SSN 1"], ["strict"], { roles: [role] });
      assert.deepEqual(verdict, refused("strict", "US_SSN"), role);
    }
  });

  test("the span holds types, never values or places", async () => {
    const { at } = await detect(["US_SSN 1"], ["strict"]);
    assert.deepEqual(onlySpan(at).attributes, {
      "pii.detected": true,
      "pii.types": ["US_SSN"],
      "pii.threshold": 0.7,
      "security.action": "blocked",
    });
  });

  for (const [name, settings] of [
    ["switched off", policyOff],
    ["not configured", configOf("model_config: { strict: {} }")],
  ] as const) {
    test(`${name}: clear, without a span`, async () => {
      const { verdict, at } = await detect(["US_SSN 1"], ["strict"], { settings });
      assert.deepEqual(verdict, clear);
      assert.equal(at.children.length, 0);
    });
  }
});

test("a detector that does not depend on the category does not wait for it", async () => {
  const settings = configOf("model_config: { strict: {} }\nclassifier: { pii_model: {} }");
  const at = newTrace();
  const pass = passOf(chatOf({ model: "auto", messages: [{ role: "user", content: "hello" }] }), found);
  const never = new Promise<undefined>(() => {});
  assert.deepEqual(await piiDetection(settings)(pass, never, () => ["strict"], at), clear);
});

test("where classification failed the lowest threshold of any category that is looked through holds", async () => {
  const failed = { category: undefined, confidence: 0, by: "none", scores: [] } as const;
  const keenlyOff = config.categories.map((one) =>
    one.name === "keen" ? { ...one, pii_enabled: false } : one,
  );
  for (const [settings, threshold] of [
    [config, 0.3],
    [{ ...config, categories: keenlyOff }, 0.7],
    [policyOff, undefined],
  ] as const) {
    const at = newTrace();
    const pass = passOf(
      chatOf({ model: "auto", messages: [{ role: "user", content: "AGE 0.3 GPE 0.7" }] }),
      found,
    );
    const verdict = await piiDetection(settings)(pass, Promise.resolve(failed), () => ["open"], at);
    if (threshold === undefined) assert.deepEqual([verdict, at.children.length], [clear, 0]);
    else {
      assert.deepEqual(verdict, threshold === 0.3 ? seen("AGE", "GPE") : seen("GPE"));
      assert.equal(onlySpan(at).attributes["pii.threshold"], threshold);
    }
  }
});

test("on_error: refuse by default, allow by choice", async () => {
  for (const [onError, expected] of [
    [undefined, "pii_detection: deadline"],
    ["allow", clear],
  ] as const) {
    const settings = configOf(
      onError ? yaml.replace("threshold: 0.7", "threshold: 0.7, on_error: allow") : yaml,
    );
    const at = newTrace();
    const pass = passOf(chatOf({ model: "auto", messages: [{ role: "user", content: "x" }] }), () => {
      throw new EncodeError("deadline", "too late");
    });
    const act = piiDetection(settings)(pass, Promise.resolve(undefined), () => ["strict"], at);
    const result = await act.catch((error: StageFault) => error);
    if (result instanceof StageFault) assert.equal(result.message, expected);
    else assert.deepEqual(result, expected);
    const { span, attributes } = onlySpan(at);
    assert.equal(attributes["error.type"], "deadline");
    assert.equal(attributes["stage.on_error"], onError);
    assert.ok(span.error);
    // Nothing that reads as if the model had answered.
    assert.deepEqual([attributes["pii.detected"], attributes["pii.types"]], [undefined, undefined]);
  }
});

test("the policy of a model", () => {
  const denied = deniedTypes(config.model_config);
  const cases: readonly [string, string[], string[]][] = [
    ["strict", ["PERSON", "GPE"], ["PERSON", "GPE"]],
    ["names", ["PERSON", "GPE"], []],
    ["names", ["US_SSN", "PERSON"], ["US_SSN"]],
    ["open", ["US_SSN"], []],
    ["both", ["US_SSN"], []],
    ["unheard-of", ["US_SSN"], []],
    ["strict", [], []],
  ];
  for (const [model, types, expected] of cases) assert.deepEqual(denied(model, types), expected, model);
});
