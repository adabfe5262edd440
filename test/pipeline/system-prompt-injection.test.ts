import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Category } from "../../src/config/schema.ts";
import type { Decision } from "../../src/pipeline/decision.ts";
import type { RoutableModel } from "../../src/pipeline/models.ts";
import { systemPromptInjection } from "../../src/pipeline/system-prompt-injection.ts";
import { chatOf, newTrace, onlySpan } from "../support/pipeline.ts";

type Family = RoutableModel["family"];
const gpt: Family = { name: "gpt-oss", type: "reasoning_effort" };
const deepseek: Family = { name: "deepseek", type: "chat_template_kwargs", parameter: "thinking" };
const qwen: Family = { name: "qwen3", type: "chat_template_kwargs", parameter: "enable_thinking" };

const inject = systemPromptInjection();
const category = (more: Partial<Category> = {}): Category => ({
  name: "math",
  mmlu_categories: [],
  model_scores: [],
  system_prompt: "Be exact.",
  system_prompt_enabled: true,
  system_prompt_mode: "replace",
  ...more,
});
const decisionOf = (more: Partial<Decision> & { family?: Family } = {}): Decision => ({
  strategy: "auto",
  model: { name: "m", base: "m", config: undefined, family: more.family },
  category: undefined,
  reasoning: { enabled: false, effort: "medium" },
  ...more,
});
const user = { role: "user", content: "hi" };

async function edited(
  decision: Decision,
  body: object = { model: "auto", messages: [user] },
  endpoint: "chat" | "completions" = "chat",
) {
  const at = newTrace();
  const { body: bytes, injected } = await inject(chatOf(body, endpoint), decision, at);
  const parsed = bytes && JSON.parse(Buffer.from(bytes).toString());
  return { body: parsed as Record<string, unknown> | undefined, injected, ...onlySpan(at) };
}

describe("reasoning fields, by family", () => {
  const on = { enabled: true, effort: "medium" };
  const hard = { enabled: true, effort: "high" };
  const off = { enabled: false, effort: "medium" };
  const low = { reasoning_effort: "low" };
  const kwargs = (value: object) => ({ chat_template_kwargs: value });
  const cases: readonly [string, Family, Decision["reasoning"], object, object][] = [
    ["off, gpt, effort sent: kept", gpt, off, low, low],
    [
      "off, gpt, high effort sent: kept as well",
      gpt,
      off,
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
    ],
    ["off, gpt, none sent: the least there is", gpt, off, {}, low],
    ["off, no family, effort sent: removed", undefined, off, low, {}],
    ["off, deepseek: an explicit false, effort removed", deepseek, off, low, kwargs({ thinking: false })],
    ["off, qwen3: an explicit false", qwen, off, {}, kwargs({ enable_thinking: false })],
    [
      "off, qwen3, sent as true: overruled",
      qwen,
      off,
      kwargs({ enable_thinking: true }),
      kwargs({ enable_thinking: false }),
    ],
    ["on, no family: neither field", undefined, on, low, {}],
    ["on, gpt, effort sent: ours", gpt, on, low, { reasoning_effort: "medium" }],
    ["on, gpt, the model's own effort", gpt, hard, {}, { reasoning_effort: "high" }],
    ["on, deepseek, effort sent: removed", deepseek, on, low, kwargs({ thinking: true })],
    [
      "on, qwen3: the client's other kwargs stay",
      qwen,
      on,
      kwargs({ add_generation_prompt: true }),
      kwargs({ add_generation_prompt: true, enable_thinking: true }),
    ],
    ["a specified model: untouched", gpt, undefined, low, low],
  ];
  for (const [name, family, reasoning, sent, expected] of cases) {
    test(name, async () => {
      const rest = { messages: [user], top_k: 3, temperature: 0.5 };
      const { body } = await edited(decisionOf({ family, reasoning }), { model: "auto", ...sent, ...rest });
      assert.deepEqual(body, { model: "m", ...expected, ...rest });
    });
  }
});

describe("system prompt", () => {
  const system = { role: "system", content: "Be kind." };
  const ours = { role: "system", content: "Be exact." };
  const cases: readonly [string, Category | undefined, object[], object[], boolean, string][] = [
    ["replace, none sent: prepended", category(), [user], [ours, user], true, "replace"],
    ["replace, one sent: its text gives way", category(), [system, user], [ours, user], true, "replace"],
    [
      "insert, none sent: prepended",
      category({ system_prompt_mode: "insert" }),
      [user],
      [ours, user],
      true,
      "insert",
    ],
    [
      "insert, one sent: before it",
      category({ system_prompt_mode: "insert" }),
      [system, user],
      [{ role: "system", content: "Be exact.\n\nBe kind." }, user],
      true,
      "insert",
    ],
    ["disabled", category({ system_prompt_enabled: false }), [system, user], [system, user], false, "none"],
    ["no category", undefined, [system, user], [system, user], false, "none"],
  ];
  for (const [name, chosen, sent, expected, injected, mode] of cases) {
    test(name, async () => {
      const got = await edited(decisionOf({ category: chosen }), { model: "auto", messages: sent });
      assert.deepEqual(got.body?.messages, expected);
      assert.equal(got.injected, injected);
      assert.deepEqual(got.attributes, {
        "system_prompt.injected": injected,
        "system_prompt.mode": mode,
        "category.name": chosen ? "math" : "",
      });
    });
  }

  test("a category without one injects none", async () => {
    const { system_prompt: _, ...bare } = category();
    const { injected, body } = await edited(decisionOf({ category: bare }));
    assert.equal(injected, false);
    assert.deepEqual(body, { model: "m", messages: [user] });
  });

  test("a completion request has no place for one, but the model is written", async () => {
    const decision = decisionOf({ category: category() });
    const { body, injected } = await edited(decision, { model: "auto", prompt: "hi" }, "completions");
    assert.deepEqual(body, { model: "m", prompt: "hi" });
    assert.equal(injected, false);
  });
});

test("no body where the client's own says it all", async () => {
  const { body } = await edited(decisionOf({ reasoning: undefined }), { model: "m", messages: [user] });
  assert.equal(body, undefined);
});
