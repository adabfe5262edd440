import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { loadOwnModel, type OwnTask } from "../../src/models/own/own.ts";
import { type GraphOptions, ModelDirectory, tinyGraph, tinyModel } from "../support/onnx/tiny-models.ts";
import { fixtureOf } from "../support/onnx/tokenizers.ts";

interface Misfit {
  readonly name: string;
  readonly task?: OwnTask;
  readonly config?: object;
  readonly graph?: GraphOptions;
  readonly width?: number;
  /** Files beside the usual ones, or instead of them; undefined: the file is missing. */
  readonly files?: Readonly<Record<string, Uint8Array | object | string | undefined>>;
  readonly mapping?: object | string;
  readonly message: RegExp;
}

const three = { 0: "math", 1: "law", 2: "other" };
const bert = fixtureOf("bert");
const roberta = fixtureOf("roberta");

const misfits: readonly Misfit[] = [
  {
    name: "no config.json",
    files: { "config.json": undefined },
    message: /config\.json: no such file; copy it from the model it was exported from$/,
  },
  {
    name: "config.json is damaged",
    files: { "config.json": "{" },
    message: /config\.json: not valid JSON; copy it/,
  },
  {
    name: "config.json is a list",
    files: { "config.json": "[]" },
    message: /config\.json: no JSON object; copy it/,
  },
  {
    name: "an architecture nobody knows",
    config: { model_type: "t5" },
    message: /config\.json: model_type "t5" is not known here; known are bert, distilbert, .*modernbert/,
  },
  {
    name: "no tokenizer.json",
    files: { "tokenizer.json": undefined },
    message: /tokenizer\.json: no such file; save the tokenizer with transformers' AutoTokenizer/,
  },
  {
    name: "a tokenizer with a part nobody knows",
    files: { "tokenizer.json": { ...bert.file, pre_tokenizer: { type: "CharDelimiterSplit" } } },
    message: /tokenizer\.json: the pre-tokenizer "CharDelimiterSplit" is not known here; save/,
  },
  {
    name: "another model's tokenizer",
    config: { vocab_size: 100 },
    message:
      /tokenizer\.json: has \d+ tokens, but the model of .*config\.json knows 100; take both from the same/,
  },
  {
    name: "no graph",
    files: { "model.onnx": undefined, "model.safetensors": "" },
    message: /: there is no model\.onnx and no onnx.model\.onnx; export the model to ONNX$/,
  },
  {
    name: "a damaged graph",
    files: { "model.onnx": "no graph" },
    message: /model\.onnx: cannot be loaded \(.+\); export the model to ONNX anew$/,
  },
  {
    name: "inputs nobody knows",
    graph: { kind: "text", inputs: ["input_ids", "attention_mask", "past_key_values"] },
    message:
      /model\.onnx: of its inputs, past_key_values is not known here; known are input_ids, attention_mask, token/,
  },
  {
    name: "no ids",
    graph: { kind: "text", inputs: ["attention_mask"] },
    message: /model\.onnx: of its inputs, input_ids is missing; known are/,
  },
  {
    name: "inputs of 32 bits",
    graph: { kind: "text", type: "int32" },
    message: /model\.onnx: its input input_ids is not int64; export it as transformers does$/,
  },
  {
    name: "an encoder where a classifier is wanted",
    graph: { kind: "vectors" },
    message: /model\.onnx: has no output logits, only last_hidden_state; export it as a classifier/,
  },
  {
    name: "a classifier where an encoder is wanted",
    task: "embedding",
    message:
      /has no output sentence_embedding or last_hidden_state or .*, only logits; export it for feature-extraction$/,
  },
  {
    name: "a token classifier for categories",
    graph: { kind: "token" },
    message: /model\.onnx: is a token classifier; this task needs a text classifier$/,
  },
  {
    name: "a text classifier for personal data",
    task: "pii",
    config: { id2label: { 0: "O", 1: "B-X", 2: "I-X" } },
    message: /model\.onnx: is a text classifier; this task needs a token classifier$/,
  },
  {
    name: "several labels per text",
    config: { problem_type: "multi_label_classification" },
    message:
      /config\.json: problem_type "multi_label_classification" is not known here; take a model of one label/,
  },
  {
    name: "more labels than outputs",
    config: { id2label: { ...three, 3: "art" } },
    message: /config\.json: has 4 labels, but .*model\.onnx gives 3; take both from the same model$/,
  },
  {
    name: "a label is missing",
    config: { id2label: { 0: "math", 2: "law" } },
    message: /config\.json: id2label lacks index 1; every output needs a label$/,
  },
  {
    name: "labels without names",
    config: { id2label: { 0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2" } },
    message:
      /its labels have no names; name them in a file at classifier\.category_model\.category_mapping_path$/,
  },
  {
    name: "no label means a jailbreak",
    task: "jailbreak",
    message:
      /config\.json: none of the labels "math", "law", "other" means a jailbreak; call it "jailbreak" in a file at prompt_guard\.jailbreak_mapping_path$/,
  },
  {
    name: "every label means a jailbreak",
    task: "jailbreak",
    config: { id2label: { 0: "Unsafe", 1: "injection", 2: "Prompt Injection" } },
    message: /: every one of the labels .* means a jailbreak; call/,
  },
  {
    name: "no label is O",
    task: "pii",
    graph: { kind: "token" },
    message:
      /config\.json: no label is "O", for what is no personal data; give classifier\.pii_model\.pii_mapping_path/,
  },
  {
    name: "no label names a type",
    task: "pii",
    graph: { kind: "token" },
    config: { id2label: { 0: "O", 1: "NO_PII", 2: "no_pii" } },
    message: /config\.json: no label names a type; give/,
  },
  {
    name: "pooling nobody knows",
    task: "embedding",
    graph: { kind: "vectors" },
    files: { "1_Pooling/config.json": { pooling_mode_max_tokens: true } },
    message: /1_Pooling.config\.json: pools by max_tokens; only mean_tokens or cls_token is known here$/,
  },
  {
    name: "no room for text",
    files: { "tokenizer_config.json": { model_max_length: 9 } },
    message:
      /tokenizer_config\.json: model_max_length leaves windows of 9 tokens, too little for text; write how many/,
  },
  {
    name: "no room for text, says another file",
    files: { "sentence_bert_config.json": { max_seq_length: -1 } },
    message: /sentence_bert_config\.json: max_seq_length leaves windows of -1 tokens/,
  },
  {
    name: "no room for text, says config.json",
    config: { max_position_embeddings: 9 },
    message: /\/config\.json: max_position_embeddings leaves windows of 9 tokens/,
  },
  ...["512", 10.5].map((model_max_length) => ({
    name: `windows of ${JSON.stringify(model_max_length)} tokens`,
    files: { "tokenizer_config.json": { model_max_length } },
    message:
      /tokenizer_config\.json: model_max_length is ("512"|10\.5), no whole number; write how many .* take the key away$/,
  })),
  {
    name: "a number of places that is none",
    config: { max_position_embeddings: "512" },
    message: /\/config\.json: max_position_embeddings is "512", no whole number; write/,
  },
  {
    name: "fewer places than config.json says",
    config: { max_position_embeddings: 600 },
    files: { "model.onnx": tinyGraph(tinyModel({ places: 2 }), { kind: "text" }) },
    message: /model\.onnx: a pass over \d+ tokens failed; see that it belongs to .*config\.json$/,
  },
  {
    name: "a damaged mapping file",
    mapping: "{",
    message: /mapping\.json: not valid JSON; give classifier\.category/,
  },
  {
    name: "another task's mapping file",
    mapping: { label_to_idx: { math: 0 } },
    message:
      /mapping\.json: neither idx_to_category nor category_to_idx is there; give classifier\.category_model\.cat/,
  },
  {
    name: "a mapping file without an index",
    mapping: { category_to_idx: { math: 0, law: 3, other: 2 } },
    message: /mapping\.json: category_to_idx lacks index 1; every output needs a label$/,
  },
  {
    name: "a mapping file with an index twice",
    mapping: { category_to_idx: { math: 0, law: 1, other: 1 } },
    message:
      /mapping\.json: category_to_idx has both "law" and "other" at index 1; give each an index of its own$/,
  },
  {
    name: "an index that is none",
    mapping: { idx_to_category: { first: "math" } },
    message:
      /mapping\.json: idx_to_category has "math" at "first", no whole number; count the outputs from 0$/,
  },
  ...[null, "", true, [2], -1, 1.5, "1.0", " 2", "02", "1e0"].map((index) => ({
    name: `an index that is ${JSON.stringify(index)}`,
    mapping: { category_to_idx: { math: 0, law: index, other: 1 } },
    message: /mapping\.json: category_to_idx has "law" at .*, no whole number; count the outputs from 0$/,
  })),
  ...[1, null, "", "  "].map((label) => ({
    name: `a label that is ${JSON.stringify(label)}`,
    mapping: { idx_to_category: { 0: label } },
    message: /mapping\.json: idx_to_category has (1|null|"" *|" {2}") at index 0, no label; give it a name$/,
  })),
  {
    name: "a label twice",
    mapping: { idx_to_category: { 0: "math", 1: "law", 2: "math" } },
    message:
      /mapping\.json: idx_to_category has "math" at index 0 and at 2; give each output a name of its own$/,
  },
  {
    name: "a label of the model's own twice",
    config: { id2label: { ...three, 2: "math" } },
    message: /config\.json: id2label has "math" at index 0 and at 2; give each/,
  },
  {
    name: "a mapping that is a list",
    mapping: { idx_to_category: ["math", "law", "other"] },
    message: /mapping\.json: idx_to_category is no JSON object; give classifier\.category_model\.cat/,
  },
  {
    name: "an empty mapping",
    mapping: { idx_to_category: {} },
    message: /mapping\.json: idx_to_category is empty; /,
  },
  {
    name: "a mapping file that contradicts itself",
    mapping: { idx_to_category: three, category_to_idx: { math: 0, other: 1, law: 2 } },
    message:
      /mapping\.json: idx_to_category and category_to_idx differ at index 1; correct one or leave it out$/,
  },
  {
    name: "a mapping file whose second form has a label more",
    mapping: { idx_to_category: three, label_to_id: { math: 0, law: 1, other: 2, art: 3 } },
    message: /mapping\.json: idx_to_category and label_to_id differ at index 3; correct/,
  },
];

describe("what does not fit is an error that names the file and the remedy", () => {
  for (const misfit of misfits) {
    test(misfit.name, async () => {
      const { task = "category", graph = { kind: "text" }, files = {}, mapping, message } = misfit;
      using dir = new ModelDirectory({
        "config.json": { model_type: "bert", id2label: three, ...misfit.config },
        "tokenizer.json": bert.file,
        "model.onnx": tinyGraph(tinyModel(), graph),
        ...(mapping !== undefined && { "mapping.json": mapping }),
        ...files,
      });
      const mappingPath = mapping === undefined ? {} : { mappingPath: dir.at("mapping.json") };
      const loading = loadOwnModel({ task, key: "some.key", dir: dir.path, ...mappingPath });
      const error = await loading.then(
        () => undefined,
        (error: Error) => error,
      );
      assert.match(error?.message ?? "loaded", message);
      assert.ok(error?.message.startsWith(`some.key: ${dir.path}`), error?.message);
    });
  }

  test("no directory", async () => {
    const loading = loadOwnModel({ task: "pii", key: "classifier.pii_model.model_id", dir: "/none/here" });
    await assert.rejects(
      loading,
      /^Misfit: classifier\.pii_model\.model_id: \/none\/here: no such directory; name/,
    );
  });

  test("a pass that fails while it serves does not quote the text", async () => {
    // Ids that the tokenizer has and the graph has not.
    using dir = new ModelDirectory({
      "config.json": { model_type: "roberta", id2label: { 0: "safe", 1: "unsafe", 2: "other" } },
      "tokenizer.json": roberta.file,
      "model.onnx": tinyGraph(tinyModel({ vocabulary: 200 }), { kind: "text" }),
    });
    // In a process of its own, since the runtime below writes to standard error by itself.
    const code = `import { loadOwnModel } from ${JSON.stringify(new URL("../../src/models/own/own.ts", import.meta.url))};
      await loadOwnModel({ task: "jailbreak", dir: ${JSON.stringify(dir.path)} }).catch((e) => console.error(e.message));`;
    const { stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
    assert.match(stderr, /model\.onnx: a pass over \d+ tokens failed/);
    assert.doesNotMatch(stderr, /idx|indices/);
  });
});
