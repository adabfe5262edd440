import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import { type LabelTask, readLabels } from "../../src/models/own/labels.ts";
import { jailbreakIndices, readTags } from "../../src/models/own/meanings.ts";
import { judge, spansOf, verdicts } from "../../src/models/own/spans.ts";
import { strayLabels } from "../../src/pipeline/classification.ts";
import { ModelDirectory } from "../support/onnx/tiny-models.ts";

test("labels are those of the mapping file, else the model's own", () => {
  const mappings: readonly (readonly [LabelTask, object])[] = [
    ["category", { category_to_idx: { b: 1, a: 0 } }],
    ["category", { idx_to_category: { 1: "b", 0: "a" } }],
    ["category", { idx_to_category: { 0: "a", 1: "b" }, category_to_idx: { a: 0, b: 1 } }],
    ["jailbreak", { label_to_idx: { a: 0, b: 1 } }],
    ["pii", { idx_to_label: { 0: "a", 1: "b" } }],
    ...(["category", "jailbreak", "pii"] as const).flatMap((task): [LabelTask, object][] => [
      [task, { label_to_id: { a: 0, b: "1" } }],
      [task, { id_to_label: { 0: "a", 1: "b" } }],
      [task, { id_to_label: { 0: "a", 1: "b" }, label_to_id: { a: 0, b: 1 } }],
    ]),
  ];
  const config = { id2label: { 0: "x", 1: "y" } };
  for (const [task, mapping] of mappings) {
    using dir = new ModelDirectory({ "mapping.json": mapping });
    const { names, path } = readLabels(task, config, "config.json", dir.at("mapping.json"));
    assert.deepEqual([names, path], [["a", "b"], dir.at("mapping.json")]);
    assert.deepEqual(readLabels(task, config, "config.json", undefined).names, ["x", "y"]);
  }
  assert.deepEqual(readLabels("jailbreak", {}, "config.json", undefined).names, ["LABEL_0", "LABEL_1"]);
});

test("a mapping file may begin with a byte order mark", () => {
  using dir = new ModelDirectory({ "mapping.json": '\ufeff{"idx_to_label":{"0":"a","1":"b"}}' });
  assert.deepEqual(readLabels("pii", {}, "", dir.at("mapping.json")).names, ["a", "b"]);
});

test("a category model none of whose labels is a category is told of, with some of both", () => {
  const model_scores = [{ model: "m", score: 1, use_reasoning: false }];
  const { categories } = parseConfig(
    JSON.stringify({
      default_model: "m",
      vllm_endpoints: [{ name: "one", address: "127.0.0.1", port: 8001 }],
      model_config: { m: { preferred_endpoints: ["one"] } },
      categories: [
        { name: "Law", model_scores },
        { name: "science", mmlu_categories: ["Physics"], model_scores },
      ],
    }),
  ).config;
  for (const label of ["law", "SCIENCE", "physics"])
    assert.equal(strayLabels(["cooking", label], categories), undefined, label);
  assert.equal(strayLabels(["cooking"], []), undefined);
  assert.match(
    strayLabels(["a", "b", "c", "d", "e", "f", "g"], categories) ?? "",
    /^classifier\.category_model\.model_id: no label of the model \("a", "b", "c", "d", "e", and 2 more\) is .* \("Law", "science", "Physics"\), so .*; list the labels under mmlu_categories, or .* classifier\.category_model\.category_mapping_path$/,
  );
});

describe("labels that mean a jailbreak", () => {
  const rows: readonly (readonly [readonly string[], readonly number[]])[] = [
    [["benign", "jailbreak"], [1]],
    [["INJECTION", "SAFE"], [0]],
    [
      ["BENIGN", "INJECTION", "JAILBREAK"],
      [1, 2],
    ],
    [["legit", "Prompt Injection"], [1]],
    [["safe", "unsafe"], [1]],
    [["benign", "malicious"], [1]],
    [["LABEL_0", "LABEL_1"], [1]],
    [["0", "1"], [1]],
  ];
  for (const [names, expected] of rows)
    test(names.join(", "), () => assert.deepEqual(jailbreakIndices({ names, path: "" }), expected));
  test("two labels with names, or three without, are not guessed at", () => {
    for (const names of [
      ["LABEL_0", "LABEL_1", "LABEL_2"],
      ["no", "1"],
      ["yes", "no"],
    ])
      assert.throws(() => jailbreakIndices({ names, path: "x" }), /^Misfit: x: none of the labels/);
  });
});

test("types of personal data have the names that the configuration uses", () => {
  const names = [
    "O",
    "B-EMAIL",
    "I-EMAIL",
    "B-PER",
    "E-PER",
    "S-PHONE_NUMBER",
    "US_SSN",
    "I-Credit Card",
    "b-tax id",
  ];
  const { types, tags } = readTags({ names, path: "" });
  assert.deepEqual(types, ["EMAIL_ADDRESS", "PERSON", "PHONE_NUMBER", "US_SSN", "CREDIT_CARD", "TAX_ID"]);
  assert.deepEqual(
    tags.map(({ type, begins }) => `${type}${begins ? "!" : ""}`),
    ["-1", "0!", "0", "1!", "1", "2!", "3", "4", "5!"],
  );
});

describe("spans", () => {
  const tags = readTags({ names: ["O", "B-PER", "I-PER", "B-ORG", "I-ORG"], path: "" });
  const rows: readonly (readonly [
    name: string,
    text: string,
    tokens: string,
    expected: readonly string[],
  ])[] = [
    ["side by side", "Anna Schmidt left", "Anna:1 Schmidt:2 left:0", ["PERSON Anna Schmidt"]],
    ["one begins after another", "Anna Bob", "Anna:1 Bob:1", ["PERSON Anna", "PERSON Bob"]],
    ["of two types", "Anna Siemens", "Anna:1 Siemens:3", ["PERSON Anna", "ORGANIZATION Siemens"]],
    ["begun without a beginning", "by Anna", "by:0 Anna:2", ["PERSON Anna"]],
    ["something between", "Anna, Bob", "Anna:1 Bob:2", ["PERSON Anna", "PERSON Bob"]],
    ["only the first token of a word", "Schmidt left", "Schm:1 idt:0 left:0", ["PERSON Schmidt"]],
    ["only the last token of a word", "Schmidt left", "Schm:0 idt:2 left:0", ["PERSON Schmidt"]],
    ["each token of a word begins", "Schmidt left", "Schm:1 idt:1 left:0", ["PERSON Schmidt"]],
    ["a word of two minds", "Schmidtli left", "Schm:1 idt:0 li:3 left:0", ["PERSON Schmidtli"]],
    ["a script without spaces", "请找张伟谈", "请:0 找:0 张:1 伟:2 谈:0", ["PERSON 张伟"]],
    ["none", "all is well", "all:0 is:0 well:0", []],
  ];
  for (const [name, text, list, expected] of rows) {
    test(name, () => {
      let at = 0;
      const tokens = list.split(" ").map((entry) => {
        const [token, tag] = entry.split(":") as [string, string];
        const start = text.indexOf(token, at);
        at = start + token.length;
        return { start, end: at, tag: Number(tag) };
      });
      const found = verdicts(tokens.length);
      for (const [i, { tag }] of tokens.entries())
        judge(
          found,
          i,
          Float32Array.from({ length: 5 }, (_, k) => (k === tag ? 5 : 0)),
          tags,
        );
      const places = {
        ids: new Int32Array(tokens.length),
        starts: Int32Array.from(tokens, ({ start }) => start),
        ends: Int32Array.from(tokens, ({ end }) => end),
      };
      const entities = spansOf(text, places, found, tags.types);
      assert.deepEqual(
        entities.map(({ type, start, end }) => `${type} ${text.slice(start, end)}`),
        expected,
      );
    });
  }

  test("tags of one type count together, and the score is the mean over tokens", () => {
    const found = verdicts(2);
    // Neither tag of PER beats O by itself.
    judge(found, 0, Float32Array.of(1, 0.9, 0.8, -9, -9), tags);
    judge(found, 1, Float32Array.of(0, 0, 9, -9, -9), tags);
    const places = { ids: new Int32Array(2), starts: Int32Array.of(0, 3), ends: Int32Array.of(3, 5) };
    const [entity] = spansOf("Annas", places, found, tags.types);
    const e = Math.exp;
    const first = (e(0.9) + e(0.8)) / (e(1) + e(0.9) + e(0.8) + 2 * e(-9));
    const second = (1 + e(9)) / (2 + e(9) + 2 * e(-9));
    assert.ok(Math.abs(entity!.score - (first + second) / 2) < 1e-6);
    assert.deepEqual([entity!.start, entity!.end, entity!.by], [0, 5, "model"]);
  });
});
