// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the `${VAR}` of the file is what is tested
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { configDiff } from "../../src/cli/config-diff.ts";
import { keyChanges, visible } from "../../src/cli/diff-keys.ts";
import type { Shape } from "../../src/config/kinds.ts";
import { ConfigError } from "../../src/config/problem.ts";
import { schema } from "../../src/config/schema.ts";
import { configOf } from "../support/pipeline.ts";
import { scratchFolder } from "../support/scratch.ts";
import { runs } from "./explain-runs.ts";

const { put } = scratchFolder("config-diff-keys");

const models = "model_config: { a: {}, b: {} }\nvllm_endpoints: [{ name: x, address: h, port: 1 }]\n";
const scores = (text: string) => `${models}categories:\n  - { name: math, model_scores: [${text}] }\n`;
const tracing = (text: string) => `observability: { tracing: { enabled: true, ${text} } }`;

describe("keys whose values in force differ", () => {
  const rows: readonly (readonly [name: string, old: string, next: string, changes: readonly unknown[]])[] = [
    ["none", models, models, []],
    ["a default that is written out", "", "prompt_guard: { threshold: 0.7 }", []],
    ["a value", "", "prompt_guard: { threshold: 0.8 }", [["prompt_guard.threshold", 0.7, 0.8]]],
    ["a key that only one has", "", "default_model: a", [["default_model", null, "a"]]],
    [
      "a section that only one has",
      "",
      "classifier: { pii_model: { threshold: 0.5 } }",
      [["classifier.pii_model", null, { enabled: true, threshold: 0.5, on_error: "refuse" }]],
    ],
    [
      "an entry of a table",
      models,
      models.replace("b: {}", '"b/c": {}'),
      [
        [
          "model_config.b",
          {
            preferred_endpoints: [],
            pii_policy: { allow_by_default: false, pii_types_allowed: [] },
            loras: [],
          },
          null,
        ],
        [
          'model_config["b/c"]',
          null,
          {
            preferred_endpoints: [],
            pii_policy: { allow_by_default: false, pii_types_allowed: [] },
            loras: [],
          },
        ],
      ],
    ],
    [
      "entries of lists by their names, wherever they stand",
      scores("{ model: a, score: 1, use_reasoning: true }, { model: b, score: 1, use_reasoning: true }"),
      scores("{ model: b, score: 1, use_reasoning: true }, { model: a, score: 0.5, use_reasoning: true }"),
      [
        ['categories["math"].model_scores["a"].score', 1, 0.5],
        ['categories["math"].model_scores (order)', '"a", "b"', '"b", "a"'],
      ],
    ],
    [
      "entries that share a name by their places",
      scores("{ model: a, score: 1, use_reasoning: true }, { model: a, score: 2, use_reasoning: true }"),
      scores("{ model: a, score: 1, use_reasoning: true }, { model: a, score: 3, use_reasoning: true }"),
      [['categories["math"].model_scores[1].score', 2, 3]],
    ],
    [
      "a list of words as a whole",
      `${scores("{ model: a, score: 1, use_reasoning: true }")}keyword_rules: [{ category: math, operator: OR, keywords: [x] }]`,
      `${scores("{ model: a, score: 1, use_reasoning: true }")}keyword_rules: [{ category: math, operator: OR, keywords: [x, y] }]`,
      [["keyword_rules[0].keywords", ["x"], ["x", "y"]]],
    ],
  ];
  for (const [name, old, next, changes] of rows)
    test(name, () =>
      assert.deepEqual(
        keyChanges(configOf(old), configOf(next)).map((change) => [change.path, change.old, change.new]),
        changes,
      ),
    );

  test("secrets are not shown, whole sections of them neither", () => {
    const old = tracing(
      'exporter: { headers: { authorization: "Bearer s3cret1", same: "s3cret2" } }, user_id: { hash_key: s3cret3 }',
    );
    const next = tracing(
      'exporter: { headers: { authorization: "Bearer s3cret4", same: "s3cret2", more: "s3cret5" } }, user_id: { hash_key: s3cret6 }',
    );
    const found = keyChanges(configOf(old), configOf(next));
    assert.deepEqual(
      found.map((change) => [change.path, change.old, change.new]),
      [
        ["observability.tracing.exporter.headers.authorization", "***", "***"],
        ["observability.tracing.exporter.headers.more", null, "***"],
        ["observability.tracing.user_id.hash_key", "***", "***"],
      ],
    );
    const all = JSON.stringify([
      found,
      keyChanges(configOf(""), configOf(next)),
      keyChanges(configOf(next), configOf("")),
    ]);
    assert.doesNotMatch(all, /s3cret/);
    const section = visible(configOf(next), schema as unknown as Shape);
    assert.doesNotMatch(JSON.stringify(section), /s3cret/);
    assert.match(JSON.stringify(section), /"hash_key":"\*\*\*"/);
  });
});

describe("config diff OLD NEW", () => {
  const prompt =
    "Work step by step, name the theorem that you use, and give the result on a line of its own.";
  const yaml = (text: string, threshold: number) =>
    `${models}prompt_guard: { threshold: ${threshold} }\ncategories:\n  - { name: math, system_prompt: "${text}", model_scores: [{ model: a, score: 1, use_reasoning: true }] }\n`;
  const old = put("old.yaml", yaml(prompt, 0.7));
  const next = put("next.yaml", yaml(prompt.replace("theorem", "lemma"), 0.8));

  test("a table, in which of long texts the part shows that differs", async () => {
    const { status, out, errors } = await runs(configDiff, [old, next]);
    assert.deepEqual([status, errors], [0, ""]);
    assert.deepEqual(out.split("\n"), [
      'categories["math"].system_prompt  …p, name the theorem that you use, and give the … -> …p, name the lemma that you use, and give the re…',
      "prompt_guard.threshold            0.7 -> 0.8",
      "",
    ]);
  });

  test("--json; --exit-code; nothing to tell", async () => {
    const { out } = await runs(configDiff, [old, next, "--json"]);
    const { changes } = JSON.parse(out) as { changes: { path: string; old: unknown; new: unknown }[] };
    assert.deepEqual(changes.at(-1), { path: "prompt_guard.threshold", old: 0.7, new: 0.8 });
    assert.equal((await runs(configDiff, [old, next, "--exit-code"])).status, 1);
    const same = await runs(configDiff, [old, old, "--exit-code"]);
    assert.deepEqual([same.status, same.out], [0, "no key differs\n"]);
  });

  const usage: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [[], /^two configurations, OLD and NEW, are wanted, and 0 came$/],
    [[old], /and 1 came$/],
    [[old, next, old], /and 3 came$/],
    [[old, next, "--hide-prompts"], /^--hide-prompts goes with --prompts$/],
  ];
  for (const [args, says] of usage)
    test(`${args.length} arguments: ${says.source}`, async () => {
      const { status, errors } = await runs(configDiff, args);
      assert.equal(status, 2);
      assert.match(errors, says);
    });

  test("a file that is wrong, or is not there", async () => {
    const wrong = put("wrong.yaml", "default_modle: x\n");
    await assert.rejects(runs(configDiff, [old, wrong]), ConfigError);
    await assert.rejects(runs(configDiff, ["/nowhere.yaml", old]), /cannot read \/nowhere\.yaml/);
  });
});
