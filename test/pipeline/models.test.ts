import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { candidatesFor } from "../../src/pipeline/candidates.ts";
import { modelDirectory, type RoutableModel } from "../../src/pipeline/models.ts";
import { classifiedAs, configOf } from "../support/pipeline.ts";

const yaml = `
vllm_endpoints: [{ name: one, address: 127.0.0.1, port: 8001 }]
model_config:
  base:
    preferred_endpoints: [one]
    reasoning_family: qwen
    pii_policy: { pii_types_allowed: [PERSON] }
    loras: [{ name: adapter }, { name: plain }]
  plain: { loras: [{ name: adapter }] }
reasoning_families: { qwen: { type: chat_template_kwargs, parameter: enable_thinking } }
default_model: plain
categories:
  - name: ranked
    model_scores:
      - { model: plain, score: 0.3, use_reasoning: false }
      - { model: base, lora_name: adapter, score: 0.9, use_reasoning: true }
  - name: tied
    model_scores:
      - { model: base, score: 0.5, use_reasoning: true }
      - { model: plain, score: 0.5, use_reasoning: false }
`;
const config = configOf(yaml);
const models = modelDirectory(config);

describe("what a requested name means", () => {
  const custom = modelDirectory(configOf(`${yaml}\nauto_model_name: best`));
  const cases: readonly [ReturnType<typeof modelDirectory>, string, string][] = [
    [models, "auto", "auto"],
    [models, "MoM", "auto"],
    [models, "Auto", "unknown"],
    [models, "mom", "unknown"],
    [models, " auto", "unknown"],
    [custom, "best", "auto"],
    [custom, "auto", "auto"],
    [custom, "MoM", "unknown"],
    [models, "base", "base of base"],
    [models, "adapter", "adapter of base"],
    // A base model's own name is its own, whichever adapter is called the same.
    [models, "plain", "plain of plain"],
    [models, "gpt-9", "unknown"],
    [models, "constructor", "unknown"],
    [models, "__proto__", "unknown"],
  ];
  for (const [directory, name, expected] of cases) {
    test(`"${name}" is ${expected}${directory === custom ? ", the alias customised" : ""}`, () => {
      const asked = directory.requested(name);
      const got = asked.kind === "specified" ? `${asked.model.name} of ${asked.model.base}` : asked.kind;
      assert.equal(got, expected);
    });
  }

  test("without configured models every name may be asked for", () => {
    const directory = modelDirectory(configOf("prompt_guard: { enabled: true }"));
    const model: RoutableModel = { name: "any", base: "any", config: undefined, family: undefined };
    assert.deepEqual(directory.requested("any"), { kind: "specified", model });
    assert.equal(directory.requested("MoM").kind, "auto");
  });
});

test("an adapter keeps its base model's policy, endpoints and family, however it is come by", () => {
  const requested = models.requested("adapter");
  assert.equal(requested.kind, "specified");
  for (const adapter of [requested.model, models.routable("base", "adapter"), models.named("adapter")]) {
    assert.equal(adapter.name, "adapter");
    assert.equal(adapter.base, "base");
    assert.equal(adapter.config, config.model_config.base);
    assert.deepEqual(adapter.family, {
      name: "qwen",
      type: "chat_template_kwargs",
      parameter: "enable_thinking",
    });
  }
});

describe("candidates", () => {
  const [ranked, tied] = config.categories;
  const names = (settings: typeof config, category: typeof ranked) =>
    candidatesFor(
      settings,
      modelDirectory(settings),
    )(classifiedAs(category)).map(
      ({ model, scored }) => `${model.name}/${model.base} ${scored?.score ?? "default"}`,
    );
  const without = (line: string) => configOf(yaml.replace(line, ""));

  const cases: readonly [string, string[], string[]][] = [
    [
      "best score first, the default model last",
      names(config, ranked),
      ["adapter/base 0.9", "plain/plain 0.3", "plain/plain default"],
    ],
    [
      "of equals the first listed",
      names(config, tied),
      ["base/base 0.5", "plain/plain 0.5", "plain/plain default"],
    ],
    ["no category", names(config, undefined), ["plain/plain default"]],
    ["no category and no default model", names(without("default_model: plain"), undefined), []],
    // Looked up as a base name it would have no policy, and personal data would pass.
    [
      "an adapter as default model",
      names(configOf(yaml.replace("default_model: plain", "default_model: adapter")), undefined),
      ["adapter/base default"],
    ],
  ];
  for (const [name, got, expected] of cases) {
    test(name, () => assert.deepEqual(got, expected));
  }

  test("the configuration's own order is left alone", () => {
    names(config, ranked);
    assert.deepEqual(
      ranked?.model_scores.map(({ model }) => model),
      ["plain", "base"],
    );
  });
});
