import { readTokenizer } from "../../../src/models/own/tokenizer/tokenizer.ts";
import { type Kind, ModelDirectory, type TinyModel, tinyGraph, tinyModel } from "./tiny-models.ts";
import { fixtureOf } from "./tokenizers.ts";

// Tiny models whose verdicts hang on one word each, and are none that the embedded model could give.

const tokenizer = fixtureOf("bert").file;

/** Tells by its first dimension how much of a text is `word`; its logits are (-4, 4, -9) with it, (4, -4, -9) without. */
function spotter(word: string): TinyModel {
  const model = tinyModel();
  const { dims, width } = model;
  const marked = new Set(readTokenizer(tokenizer).tokenise(word).ids);
  const weights = model.weights.map((_, i) => (i === 0 ? -400 : i === 1 ? 400 : 0));
  return {
    ...model,
    embeddings: model.embeddings.map((_, i) => (i % dims === 0 && marked.has(i / dims) ? 3 : 0)),
    positions: model.positions.map(() => 0),
    weights,
    bias: Float32Array.from({ length: width }, (_, i) => [4, -4, -9][i]!),
  };
}

const directory = (kind: Kind, model: TinyModel, labels: readonly string[] = []) =>
  new ModelDirectory({
    "config.json": { model_type: "bert", id2label: { ...labels } },
    "tokenizer.json": tokenizer,
    "model.onnx": tinyGraph(model, { kind }),
  });

/** "gardening" for texts with the word "fox", else "cooking". */
export const categoryModel = () => directory("text", spotter("fox"), ["cooking", "gardening", "sailing"]);

/** "rules" makes a text an attack. */
export const guardModel = () => directory("text", spotter("rules"), ["safe", "jailbreak", "other"]);

/** "lazy" is personal data of the type PASSPORT. */
export const piiModel = () => directory("token", spotter("lazy"), ["O", "B-PASSPORT", "I-PASSPORT"]);

/** All texts mean the same, but for those with `word`. */
export const embeddingModel = (word = "dog") => {
  const model = spotter(word);
  // The second dimension is the same for every token.
  const embeddings = model.embeddings.map((value, i) => (i % model.dims === 1 ? 0.01 : value));
  return directory("vectors", { ...model, embeddings });
};
