import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { EncodeError, type Wants } from "../../src/models/encode.ts";
import { type EncoderOptions, type ModelEncoder, startEncoder } from "../../src/models/encoder.ts";
import type { OwnModelSpec, OwnTask } from "../../src/models/own/own.ts";
import { categoryModel, embeddingModel, guardModel, piiModel } from "../support/onnx/own-set.ts";
import { ModelDirectory, tinyGraph, tinyModel } from "../support/onnx/tiny-models.ts";
import { fixtureOf } from "../support/onnx/tokenizers.ts";

const everything: Wants = { category: true, jailbreak: true, entities: true, embedding: true };
const signal = new AbortController().signal;
const dirs: Readonly<Record<OwnTask, ModelDirectory>> = {
  category: categoryModel(),
  jailbreak: guardModel(),
  pii: piiModel(),
  embedding: embeddingModel(),
};
after(() => {
  for (const dir of Object.values(dirs)) dir[Symbol.dispose]();
});

const own = (...tasks: OwnTask[]): OwnModelSpec[] => tasks.map((task) => ({ task, dir: dirs[task].path }));
const read = (encoder: ModelEncoder, text: string) =>
  encoder.encode({ texts: [text], focus: 0 }, everything, signal);

async function using<T>(options: EncoderOptions, action: (encoder: ModelEncoder) => T | Promise<T>) {
  const encoder = await startEncoder({ workers: 1, deadlineMs: 30_000, ...options });
  try {
    return await action(encoder);
  } finally {
    await encoder.close();
  }
}

test("labels, length of the embedding and fingerprint are those of the models that serve", async () => {
  const fixed = ({ labels, dims, fingerprint }: ModelEncoder) => ({ labels, dims, fingerprint });
  const embedded = await using({}, fixed);
  const labels = ["cooking", "gardening", "sailing"];
  assert.deepEqual(await using({ own: own("category", "pii") }, fixed), { ...embedded, labels });
  const replaced = await using({ own: own("embedding") }, async (encoder) => {
    assert.equal((await read(encoder, "hello")).embedding.length, encoder.dims);
    return fixed(encoder);
  });
  assert.deepEqual({ ...replaced, fingerprint: "" }, { labels: embedded.labels, dims: 6, fingerprint: "" });
  using other = embeddingModel("fox");
  const third = await using({ own: [{ task: "embedding", dir: other.path }] }, fixed);
  assert.equal(new Set([embedded, replaced, third].map(({ fingerprint }) => fingerprint)).size, 3);
});

describe("the self-test", () => {
  const models = fileURLToPath(new URL("../../models", import.meta.url));
  const wrong: readonly (readonly [OwnTask, string, object])[] = [
    ["category", "category", { category_score: 2 }],
    ["jailbreak", "jailbreak", { jailbreak: 2 }],
    ["pii", "entities", { entities: [{ type: "PERSON", start: 1, end: 2 }] }],
    ["embedding", "embedding", { embedding_head: [2] }],
  ];
  for (const [task, part, change] of wrong)
    test(`of the embedded model leaves out the ${part} that another serves, and no other`, async () => {
      const path = mkdtempSync(join(tmpdir(), "own-encoder-"));
      for (const name of ["encoder.onnx", "tokenizer.json"])
        symlinkSync(join(models, name), join(path, name));
      const about = JSON.parse(readFileSync(join(models, "encoder.json"), "utf8"));
      Object.assign(about.self_test[0], change);
      writeFileSync(join(path, "encoder.json"), JSON.stringify(about));
      const others = (Object.keys(dirs) as OwnTask[]).filter((other) => other !== task);
      await assert.rejects(
        using({ path, own: own(...others) }, () => {}),
        new RegExp(`failed self-test 1 \\(${part}\\)`),
      );
      await using({ path, own: own(task) }, () => {});
      rmSync(path, { recursive: true });
    });
});

test("a thread that starts anew and finds other files serves nothing: embeddings of two models never mix", async () => {
  using dir = embeddingModel();
  using other = embeddingModel("fox");
  const graph = readFileSync(dir.at("model.onnx"));
  const options = { own: [{ task: "embedding", dir: dir.path } as const], deadlineMs: 1500 };
  await using(options, async (encoder) => {
    const before = await read(encoder, "the dog");
    copyFileSync(other.at("model.onnx"), dir.at("model.onnx"));
    await encoder.kill();
    // When another one is up, so might the thread be.
    await using(options, () => {});
    await assert.rejects(read(encoder, "the dog"), (error) => {
      return error instanceof EncodeError && error.reason === "deadline";
    });
    dir.write("model.onnx", graph);
    for (let tries = 0; ; tries++) {
      const again = await read(encoder, "the dog").catch(() => undefined);
      if (again) {
        assert.deepEqual(again.embedding, before.embedding);
        break;
      }
      assert.ok(tries < 20, "never came back");
    }
  });
});

test("a process that exits in the middle of a pass has its own status", async () => {
  const model = tinyModel({ dims: 8000 });
  using dir = new ModelDirectory({
    "config.json": { model_type: "bert", id2label: { 0: "safe", 1: "jailbreak", 2: "other" } },
    "tokenizer.json": fixtureOf("bert").file,
    "model.onnx": tinyGraph(model, { kind: "text" }),
  });
  const script = fileURLToPath(new URL("../support/exit-mid-window.ts", import.meta.url));
  // Not every moment is a bad one.
  for (const ms of ["400", "1200", "2500"]) {
    const [code] = await once(spawn(process.execPath, [script, ms, dir.path], { stdio: "ignore" }), "exit");
    assert.equal(code, 7);
  }
});

test("a tokenizer that takes some 240 MB to be read has room in a thread", async () => {
  const { file } = fixtureOf("bert");
  const { model } = file as { model: { vocab: Record<string, number> } };
  const vocab = { ...model.vocab };
  // Few and long: what counts is the room that they take, as text and as entries.
  for (let i = Object.keys(vocab).length; i < 12_000; i++) vocab[`${i}`.padEnd(10_000, "x")] = i;
  using dir = new ModelDirectory({
    "config.json": { model_type: "bert", id2label: { 0: "safe", 1: "jailbreak", 2: "other" } },
    "tokenizer.json": { ...file, model: { ...model, vocab } },
    "model.onnx": tinyGraph(tinyModel({ vocabulary: 12_000 }), { kind: "text" }),
  });
  await using({ own: [{ task: "jailbreak", dir: dir.path }] }, async (encoder) => {
    assert.ok((await read(encoder, "hello")).jailbreak > 0);
  });
});
