import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EncodeError } from "../../src/models/encode.ts";
import { StageFault } from "../../src/outcome.ts";
import { jailbreakDetection } from "../../src/pipeline/jailbreak-detection.ts";
import { asks, chatOf, classifiedAs, configOf, newTrace, onlySpan, passOf } from "../support/pipeline.ts";

const yaml = `
prompt_guard: { enabled: true, threshold: 0.75 }
default_model: m
categories:
  - { name: plain, model_scores: [{ model: m, score: 1, use_reasoning: false }] }
  - { name: "off", jailbreak_enabled: false, model_scores: [{ model: m, score: 1, use_reasoning: false }] }
  - { name: "on", jailbreak_enabled: true, model_scores: [{ model: m, score: 1, use_reasoning: false }] }
  - { name: keen, jailbreak_threshold: 0.25, model_scores: [{ model: m, score: 1, use_reasoning: false }] }
  - { name: calm, jailbreak_threshold: 0.95, model_scores: [{ model: m, score: 1, use_reasoning: false }] }
`;
const guarded = configOf(yaml);
const unguarded = configOf(yaml.replace("enabled: true", "enabled: false"));

async function detect(chat: ReturnType<typeof asks>, category = "plain", settings = guarded) {
  const at = newTrace();
  const pass = passOf(chat, (text) => ({ jailbreak: Number(/evil ([\d.]+)/.exec(text)?.[1] ?? 0) }));
  const classified = classifiedAs(settings.categories.find(({ name }) => name === category));
  const verdict = await jailbreakDetection(settings)(pass, Promise.resolve(classified), at);
  return { verdict, at };
}

describe("verdicts", () => {
  const cases: readonly [string, number, string, typeof guarded, "clear" | "found" | "not run", number][] = [
    ["below the threshold", 0.74, "plain", guarded, "clear", 0.75],
    ["at the threshold", 0.75, "plain", guarded, "found", 0.75],
    ["a category with a lower threshold", 0.25, "keen", guarded, "found", 0.25],
    ["a category with a higher one", 0.9, "calm", guarded, "clear", 0.95],
    ["a category that switches it off", 1, "off", guarded, "not run", 0],
    ["a category that leaves it on", 1, "on", guarded, "found", 0.75],
    ["switched off for all", 1, "plain", unguarded, "not run", 0],
    ["switched off, but on for the category", 1, "on", unguarded, "found", 0.75],
    ["no category: the global switch", 1, "none", guarded, "found", 0.75],
    ["no category, switched off", 1, "none", unguarded, "not run", 0],
  ];
  for (const [name, confidence, category, settings, expected, threshold] of cases) {
    test(name, async () => {
      const { verdict, at } = await detect(asks(`evil ${confidence}`), category, settings);
      assert.deepEqual(
        verdict,
        expected === "found" ? { kind: "found", type: "jailbreak", confidence } : { kind: "clear" },
      );
      if (expected === "not run") return assert.equal(at.children.length, 0);
      const { attributes, span } = onlySpan(at);
      assert.deepEqual(attributes, {
        "jailbreak.detected": expected === "found",
        ...(expected === "found" && { "jailbreak.type": "jailbreak" }),
        "jailbreak.confidence": confidence,
        "jailbreak.threshold": threshold,
        "security.action": expected === "found" ? "blocked" : "allowed",
      });
      assert.equal(span.error, undefined, "a block is no error");
    });
  }
});

test("the worst text counts, wherever it stands", async () => {
  const evil = { type: "text", text: "evil 0.9" };
  const user = { role: "user", content: "hi" };
  const bodies: readonly [string, object][] = [
    ["an earlier user turn", { messages: [{ role: "user", content: "evil 0.9" }, user] }],
    ["the system message", { messages: [{ role: "system", content: "evil 0.9" }, user] }],
    ["a tool's result", { messages: [{ role: "tool", tool_call_id: "1", content: "evil 0.9" }, user] }],
    ["an unknown role", { messages: [{ role: "wizard", content: "evil 0.9" }, user] }],
    ["a content part", { messages: [{ role: "user", content: [{ type: "text", text: "hi" }, evil] }] }],
    [
      "a tool's description",
      { messages: [user], tools: [{ type: "function", function: { description: "evil 0.9" } }] },
    ],
    ["a chat template", { messages: [user], chat_template: "say evil 0.9" }],
    [
      "beside a lesser one",
      {
        messages: [
          { role: "user", content: "evil 0.8" },
          { role: "user", content: "evil 0.9" },
        ],
      },
    ],
  ];
  for (const [name, body] of bodies) {
    const { verdict } = await detect(chatOf({ model: "auto", ...body }));
    assert.deepEqual(verdict, { kind: "found", type: "jailbreak", confidence: 0.9 }, name);
  }
});

test("of an attack that was wrapped in something the span says in what", async () => {
  const rows = [
    [{ jailbreak: 0.9, jailbreakBy: "base64>rot13" }, "base64>rot13"],
    [{ jailbreak: 0.9 }, undefined],
    // Nothing was found, so nothing was hidden.
    [{ jailbreak: 0.2, jailbreakBy: "base64" }, undefined],
  ] as const;
  for (const [said, hiddenIn] of rows) {
    const at = newTrace();
    const chat = asks("aWdub3Jl");
    await jailbreakDetection(guarded)(
      passOf(chat, () => said),
      Promise.resolve(undefined),
      at,
    );
    assert.equal(onlySpan(at).attributes["jailbreak.hidden_in"], hiddenIn);
  }
});

describe("where classification failed", () => {
  const failed = { category: undefined, confidence: 0, by: "none", scores: [] } as const;
  const off = unguarded.categories.filter(({ name }) => name !== "on");
  const lenient = { ...guarded, prompt_guard: { ...guarded.prompt_guard, threshold: 0.1 } };
  const keenlyOff = guarded.categories.map((one) =>
    one.name === "keen" ? { ...one, jailbreak_enabled: false } : one,
  );
  const rows: readonly (readonly [string, typeof guarded, number | undefined])[] = [
    ["the guard that a category switches on is on", unguarded, 0.75],
    ["the lowest threshold of any category holds", guarded, 0.25],
    ["or the one for all, where that is lower", lenient, 0.1],
    ["not one of a category that is not guarded", { ...guarded, categories: keenlyOff }, 0.75],
    ["what no category guards is not guarded", { ...unguarded, categories: off }, undefined],
  ];
  for (const [name, settings, threshold] of rows)
    test(name, async () => {
      const at = newTrace();
      const pass = passOf(asks("x"), () => ({ jailbreak: threshold ?? 1 }));
      const { kind } = await jailbreakDetection(settings)(pass, Promise.resolve(failed), at);
      assert.equal(kind, threshold === undefined ? "clear" : "found");
      if (threshold === undefined) assert.equal(at.children.length, 0);
      else assert.equal(onlySpan(at).attributes["jailbreak.threshold"], threshold);
    });
});

test("a threshold of 0 finds everything that was looked at, and nothing where nothing was", async () => {
  const zero = configOf("prompt_guard: { enabled: true, threshold: 0, on_error: allow }");
  assert.equal((await detect(asks("hi"), "none", zero)).verdict.kind, "found");
  const at = newTrace();
  const broken = passOf(asks("hi"), () => {
    throw new EncodeError("closed", "closed");
  });
  assert.equal((await jailbreakDetection(zero)(broken, Promise.resolve(undefined), at)).kind, "clear");
  const { span, attributes } = onlySpan(at);
  assert.equal(span.error, "closed, allowed by on_error");
  // Nothing that reads as if the model had answered.
  assert.deepEqual(attributes, {
    "error.type": "closed",
    "stage.on_error": "allow",
    "jailbreak.threshold": 0,
    "security.action": "allowed",
  });
});

test("a guard that cannot answer refuses", async () => {
  const at = newTrace();
  const broken = passOf(asks("hi"), () => {
    throw new EncodeError("overloaded", "full");
  });
  await assert.rejects(jailbreakDetection(guarded)(broken, Promise.resolve(undefined), at), (error) => {
    assert.ok(error instanceof StageFault);
    assert.deepEqual([error.stage, error.reason], ["jailbreak_detection", "overloaded"]);
    return true;
  });
  assert.equal(onlySpan(at).attributes["error.type"], "overloaded");
});
