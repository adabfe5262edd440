import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadOwnModel, type OwnModelOptions, ownModels } from "../../src/models/own/own.ts";
import {
  forward,
  linear,
  meanOf,
  near,
  softmax,
  unit,
  weightedMean,
  windowsOf,
} from "../support/onnx/arithmetic.ts";
import { ModelDirectory, type TinyModel, tinyGraph, tinyModel } from "../support/onnx/tiny-models.ts";
import { fixtureOf, texts } from "../support/onnx/tokenizers.ts";

const LONG = 1;
const text = texts[LONG]!;
const labelled = (...names: string[]) => ({ id2label: Object.fromEntries(names.entries()) });

interface Row {
  readonly type: string;
  readonly tokenizer: string;
  readonly inputs: readonly string[];
  readonly config?: object;
  readonly firstPosition?: number;
}

const rows: readonly Row[] = [
  { type: "bert", tokenizer: "bert", inputs: ["input_ids", "attention_mask", "token_type_ids"] },
  { type: "distilbert", tokenizer: "bert_cased", inputs: ["input_ids", "attention_mask"] },
  { type: "roberta", tokenizer: "roberta", inputs: ["input_ids", "attention_mask"], firstPosition: 2 },
  {
    type: "xlm-roberta",
    tokenizer: "xlm_roberta",
    inputs: ["attention_mask", "input_ids"],
    firstPosition: 2,
  },
  { type: "modernbert", tokenizer: "modernbert", inputs: ["input_ids", "attention_mask"] },
  { type: "deberta-v2", tokenizer: "deberta", inputs: ["input_ids"] },
];

/** A directory with the model of a row, which has places for `places` tokens and no more. */
function directoryOf(row: Row, model: TinyModel, kind: "text" | "token" | "vectors", more: object = {}) {
  return new ModelDirectory({
    "config.json": {
      model_type: row.type,
      max_position_embeddings: model.positions.length / model.dims,
      ...(row.firstPosition !== undefined && { pad_token_id: row.firstPosition - 1 }),
      ...more,
    },
    "tokenizer.json": fixtureOf(row.tokenizer).file,
    "model.onnx": tinyGraph(model, { kind, inputs: row.inputs }),
  });
}

describe("each kind of model serves each task, in one window and in many", () => {
  for (const row of rows) {
    for (const size of [500, 12]) {
      const { frame } = fixtureOf(row.tokenizer);
      const special = frame[0].length + frame[1].length;
      const { firstPosition = 0 } = row;
      const model = tinyModel({ places: size + special + firstPosition, firstPosition });
      const windows = windowsOf(row.tokenizer, LONG, size);
      const logits = windows.map(({ ids }) => linear(model, meanOf(forward(model, ids))));
      const name = `${row.type}, ${windows.length} windows`;

      test(`${name}: category`, async () => {
        using dir = directoryOf(row, model, "text", labelled("math", "law", "other"));
        const own = await loadOwnModel({ task: "category", dir: dir.path });
        assert.deepEqual(own.labels, ["math", "law", "other"]);
        const mean = weightedMean(windows.map(({ content }, i) => ({ vector: logits[i]!, weight: content })));
        near(await own.run(text), softmax(mean));
        await own.close();
      });

      test(`${name}: jailbreak`, async () => {
        using dir = directoryOf(row, model, "text", labelled("BENIGN", "INJECTION", "JAILBREAK"));
        const own = await loadOwnModel({ task: "jailbreak", dir: dir.path });
        const attacks = logits.map((one) => softmax(one)[1]! + softmax(one)[2]!);
        near([await own.run(text)], [Math.max(...attacks)]);
        await own.close();
      });

      test(`${name}: embedding`, async () => {
        using dir = directoryOf(row, model, "vectors");
        const own = await loadOwnModel({ task: "embedding", dir: dir.path });
        assert.equal(own.dims, model.dims);
        const vectors = windows.map(({ ids, content }) => ({
          vector: meanOf(forward(model, ids)),
          weight: content,
        }));
        near(await own.run(text), unit(weightedMean(vectors)));
        await own.close();
      });

      test(`${name}: pii`, async () => {
        const { ids, spans } = fixtureOf(row.tokenizer).expected[LONG]!;
        const phone = [text.indexOf("+49"), text.indexOf(" before")] as const;
        const within = spans.flatMap(([start, end], i) =>
          start >= phone[0] && end <= phone[1] && end > start ? [i] : [],
        );
        // The tokens of the number are told from all others by the first dimension.
        const marked = new Set(within.map((i) => ids[i]!));
        const tagged = { ...tagger(model, marked) };
        using dir = directoryOf(row, tagged, "token", labelled("O", "B-PHONE", "I-PHONE"));
        const own = await loadOwnModel({ task: "pii", dir: dir.path });
        assert.deepEqual(own.labels, ["PHONE_NUMBER"]);
        const found = await own.run(text);
        const [entity] = found.filter(({ start }) => start === phone[0]);
        assert.equal(text.slice(entity!.start, entity!.end), "+49 30 1234567");
        assert.ok(entity!.score > 0.9);
        assert.equal(entity!.by, "model");
        await own.close();
      });
    }
  }
});

/** A model that gives I-x to the tokens of `marked`, and O to all others, wherever they stand. */
function tagger(model: TinyModel, marked: ReadonlySet<number>): TinyModel {
  const { dims, width } = model;
  const embeddings = model.embeddings.map((_, i) => (i % dims === 0 && marked.has(i / dims) ? 3 : -3));
  const weights = model.weights.map((_, i) => (i === 0 ? -4 : i === width - 1 ? 4 : 0));
  return {
    ...model,
    embeddings,
    weights,
    positions: model.positions.map(() => 0),
    bias: new Float32Array(width),
  };
}

test("windows are no longer than asked for, nor than the tokenizer says", async () => {
  const row = rows[0]!;
  const model = tinyModel();
  using dir = directoryOf(row, model, "vectors");
  const expected = (size: number) =>
    unit(
      weightedMean(
        windowsOf(row.tokenizer, LONG, size).map(({ ids, content }) => ({
          vector: meanOf(forward(model, ids)),
          weight: content,
        })),
      ),
    );
  const embed = async (options: OwnModelOptions) => {
    const own = await loadOwnModel({ task: "embedding", dir: dir.path }, options);
    const vector = await own.run(text);
    await own.close();
    return vector;
  };
  near(await embed({ windowTokens: 18 }), expected(16));
  dir.write("sentence_bert_config.json", { max_seq_length: 14 });
  near(await embed({ windowTokens: 18 }), expected(12));
  dir.write("tokenizer_config.json", { model_max_length: 12 });
  near(await embed({ windowTokens: 18, threads: 2 }), expected(10));
});

test("a text of many windows is judged by 16 of them for its category, by all as an attack", async () => {
  const row = rows[0]!;
  const model = tinyModel({ places: 10 });
  using dir = directoryOf(row, model, "text", labelled("benign", "jailbreak", "other"));
  const long = `${text} `.repeat(40);
  const counts: number[] = [];
  for (const task of ["category", "jailbreak"] as const) {
    const own = await loadOwnModel({ task, dir: dir.path });
    const left: number[] = [];
    for await (const units of own.scan(long)) left.push(units);
    counts.push(left.length);
    assert.equal(left.at(-1), 0);
    assert.deepEqual(
      left,
      left.toSorted((a, b) => b - a),
    );
    assert.ok(left[0]! < long.length);
    await own.close();
  }
  assert.equal(counts[0], 16);
  assert.ok(counts[1]! > 100);
});

test("a token in two windows is judged where it stands farther from an edge", async () => {
  const plain = tinyModel({ places: 14 });
  // Tags whatever stands first or last in a window.
  const edges = plain.positions.map((_, i) => ([6, 6 * 12].includes(i) ? 3 : i % 6 === 0 ? -3 : 0));
  const model = { ...tagger(plain, new Set()), embeddings: plain.embeddings.map(() => 0), positions: edges };
  using dir = directoryOf(rows[0]!, model, "token", labelled("O", "B-X", "I-X"));
  const own = await loadOwnModel({ task: "pii", dir: dir.path });
  const words = "dog fox the ".repeat(40).trim();
  const found = await own.run(words);
  assert.deepEqual(
    found.filter(({ end }) => end < words.length).map(({ start, end }) => words.slice(start, end)),
    ["dog"],
  );
  assert.equal(found[0]!.start, 0);
  await own.close();
});

test("a reading that is given up runs no further pass", async () => {
  const model = tinyModel({ places: 10 });
  using dir = directoryOf(rows[0]!, model, "text", labelled("benign", "jailbreak", "other"));
  const own = await loadOwnModel({ task: "jailbreak", dir: dir.path });
  const steps = own.scan(text.repeat(50));
  assert.equal((await steps.next()).done, false);
  await steps.return(0);
  assert.equal((await steps.next()).done, true);
  await own.close();
});

test("nothing and white space can be read too", async () => {
  for (const row of rows) {
    const model = tinyModel();
    using dir = directoryOf(row, model, "token", labelled("O", "B-PER", "I-PER"));
    const own = await loadOwnModel({ task: "pii", dir: dir.path });
    assert.deepEqual([await own.run(""), await own.run(" \n ")], [[], []]);
    await own.close();
  }
});

test("sentence vectors: the graph's own, or pooled as the model's makers say", async () => {
  const model = tinyModel();
  const [window] = windowsOf("bert", LONG, 500);
  const vectors = forward(model, window!.ids);
  const files = { "config.json": { model_type: "bert" }, "tokenizer.json": fixtureOf("bert").file };
  const pooling = (mode: string) => ({ word_embedding_dimension: 6, [`pooling_mode_${mode}`]: true });
  const cases = [
    { kind: "sentence", pooling: undefined, expected: meanOf(vectors) },
    { kind: "vectors", pooling: undefined, expected: meanOf(vectors) },
    { kind: "vectors", pooling: pooling("mean_tokens"), expected: meanOf(vectors) },
    { kind: "vectors", pooling: pooling("cls_token"), expected: vectors[0]! },
  ] as const;
  for (const { kind, pooling, expected } of cases) {
    using dir = new ModelDirectory({
      ...files,
      "1_Pooling/config.json": pooling,
      "onnx/model.onnx": tinyGraph(model, { kind }),
    });
    const own = await loadOwnModel({ task: "embedding", dir: dir.path });
    near(await own.run(text), unit(expected));
    await own.close();
  }
});

test("weights may lie in a file of their own, and are part of the fingerprint", async () => {
  const model = tinyModel();
  const bytes = Buffer.from(model.embeddings.buffer);
  const embeddings = { file: "model.onnx_data", offset: 0, length: bytes.length };
  using dir = new ModelDirectory({
    "config.json": { model_type: "bert" },
    "tokenizer.json": fixtureOf("bert").file,
    "model.onnx": tinyGraph(model, { kind: "vectors", embeddings }),
    "model.onnx_data": bytes,
  });
  const load = () => loadOwnModel({ task: "embedding", dir: dir.path });
  const [first, again] = [await load(), await load()];
  const [window] = windowsOf("bert", LONG, 500);
  near(await first.run(text), unit(meanOf(forward(model, window!.ids))));
  assert.match(first.fingerprint, /^[0-9a-f]{16}$/);
  assert.equal(again.fingerprint, first.fingerprint);
  dir.write("model.onnx_data", Buffer.from(tinyModel({ seed: 2 }).embeddings.buffer));
  const other = await load();
  assert.notEqual(other.fingerprint, first.fingerprint);
  for (const model of [first, again, other]) await model.close();
});

test("what leaves JavaScript, to load and for each pass, goes through the gate it is given", async () => {
  using dir = directoryOf(rows[0]!, tinyModel(), "text", labelled("benign", "jailbreak", "other"));
  const spec = { task: "jailbreak", dir: dir.path } as const;
  const shut = new Error("shut");
  let open = 0;
  const inside = <T>(work: () => Promise<T>): Promise<T> => {
    open -= 1;
    return open < 0 ? Promise.reject(shut) : work();
  };
  await assert.rejects(loadOwnModel(spec, { inside }), shut);
  // One for the graph, three for what it is tried on, one for the text.
  open = 5;
  const own = await loadOwnModel(spec, { inside });
  assert.equal(open, 1);
  await own.run("hello");
  assert.equal(open, 0);
  await own.close();
});

test("a vector that is no number is an error, not an answer", async () => {
  const model = tinyModel({ places: 14 });
  const [dog] = windowsOf("bert", LONG, 500)[0]!.ids.slice(1);
  // None of the few tokens that it is tried on.
  const embeddings = model.embeddings.map((value, i) => (Math.floor(i / model.dims) === dog ? NaN : value));
  using dir = directoryOf(rows[0]!, { ...model, embeddings }, "vectors");
  const own = await loadOwnModel({ task: "embedding", dir: dir.path });
  await assert.rejects(own.run(text), { name: "NotFinite" });
  await own.close();
});

test("all that are named are loaded, or none", async () => {
  using dir = directoryOf(rows[0]!, tinyModel(), "text", labelled("benign", "jailbreak", "other"));
  const specs = [
    { task: "category", key: "classifier.category_model.model_id", dir: dir.path },
    { task: "jailbreak", key: "prompt_guard.model_id", dir: dir.path },
  ] as const;
  const models = await ownModels(specs);
  assert.deepEqual(Object.keys(models), ["category", "jailbreak"]);
  assert.equal((await models.category!.run("hello")).length, 3);
  for (const model of Object.values(models)) await model.close();
  const missing = [
    ...specs,
    { task: "pii", key: "classifier.pii_model.model_id", dir: dir.at("x") },
  ] as const;
  await assert.rejects(
    ownModels(missing),
    /^Misfit: classifier\.pii_model\.model_id: .*x: no such directory/,
  );
});
