import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import { ownModelSettings } from "../../src/config/own-models.ts";
import { piiTypes } from "../../src/config/slices/models.ts";
import { knownTypes } from "../../src/models/own/architecture.ts";
import { type LabelTask, readLabels } from "../../src/models/own/labels.ts";
import { ATTACKS, jailbreakIndices, readTags, TYPES } from "../../src/models/own/meanings.ts";
import { loadOwnModel } from "../../src/models/own/own.ts";
import { blocksOf, codeIn, rowsOf, section, sorted } from "../docs/markdown.ts";
import { ModelDirectory, tinyGraph, tinyModel } from "../support/onnx/tiny-models.ts";
import { fixtureOf } from "../support/onnx/tokenizers.ts";

const page = "docs/models.md";

test("the sample names a model for each task", () => {
  const [sample] = blocksOf(page, "yaml");
  const named = ownModelSettings(parseConfig(sample!.text).config, "/etc/router/config.yaml");
  assert.deepEqual(
    named.map(({ task, dir }) => `${task} ${dir}`),
    [
      "category /models/category",
      "pii /etc/models/pii",
      "jailbreak /etc/router/guard",
      "embedding /etc/router/embedding",
    ],
  );
});

test("the mapping files can be read", () => {
  const tasks: readonly LabelTask[] = ["category", "pii", "jailbreak"];
  const samples = blocksOf(page, "json");
  const [category, pii, jailbreak] = tasks.map((task, i) => {
    using dir = new ModelDirectory({ "mapping.json": samples[i]!.text });
    return readLabels(task, {}, "", dir.at("mapping.json"));
  });
  assert.equal(samples.length, 3);
  assert.deepEqual(category!.names, ["math", "law", "other"]);
  assert.deepEqual(readTags(pii!).types, ["EMAIL_ADDRESS"]);
  assert.deepEqual(jailbreakIndices(jailbreak!), [2]);
});

test("the architectures, labels and types are those of the code", () => {
  const [listed] = /^Known are .*$/m.exec(section(page, "## What the directory holds"))!;
  assert.deepEqual(codeIn(listed).slice(1), knownTypes);
  const labels = section(page, "## Labels");
  const [meant] = /these labels mean one: [^.]*\./.exec(labels)!;
  assert.deepEqual(codeIn(meant), ATTACKS);
  const pairs = rowsOf(labels).flatMap(([names, type]) =>
    codeIn(names!).map((name) => [name, codeIn(type!)[0]!]),
  );
  assert.deepEqual(Object.fromEntries(pairs), TYPES);
  for (const type of Object.values(TYPES)) assert.ok((piiTypes as readonly string[]).includes(type), type);
});

test("the errors are those that are thrown", async () => {
  const id2label = { 0: "no", 1: "yes", 2: "perhaps" };
  const usual = {
    "config.json": { model_type: "bert", id2label },
    "tokenizer.json": fixtureOf("bert").file,
    "model.onnx": tinyGraph(tinyModel(), { kind: "text" }),
  };
  const faults: readonly object[] = [
    { "config.json": { model_type: "t5" } },
    { "tokenizer.json": undefined },
    { "model.onnx": undefined },
    { "model.onnx": tinyGraph(tinyModel(), { kind: "token" }) },
    { "model.onnx": tinyGraph(tinyModel({ places: 128 }), { kind: "text" }) },
    { "model.onnx": tinyGraph({ ...tinyModel(), bias: new Float32Array(3).fill(NaN) }, { kind: "text" }) },
    { "config.json": { model_type: "bert", id2label: { 0: "safe", 1: "unsafe" } } },
    {},
  ];
  const key = "prompt_guard.model_id";
  const messageOf = async (dir: string): Promise<string> => {
    const error = await loadOwnModel({ task: "jailbreak", key, dir }).catch((error: Error) => error);
    return error instanceof Error ? error.message.replaceAll(dir, "/models/guard") : "loaded";
  };
  const messages = [await messageOf("/no/such/models")];
  for (const fault of faults) {
    using dir = new ModelDirectory({ ...usual, ...fault });
    messages.push(await messageOf(dir.path));
  }
  assert.deepEqual(sorted(messages), sorted(blocksOf(page, "text")[0]!.text.split("\n")));
});
