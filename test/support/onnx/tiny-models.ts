import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bytes, encodeOnnx, GraphBuilder } from "../../../scripts/lib/onnx.ts";

// Real models, but tiny: token, position and type embeddings, a tanh, and a linear layer, with weights that are drawn
// once and for all. What they give can be worked out with a few lines of arithmetic, and is: arithmetic.ts.

export interface TinyModel {
  readonly dims: number;
  readonly width: number;
  readonly embeddings: Float32Array;
  readonly positions: Float32Array;
  /** Place of the first token in `positions`. */
  readonly firstPosition: number;
  /** (dims, width) and (width,) */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

export interface TinyOptions {
  readonly vocabulary?: number;
  readonly places?: number;
  readonly firstPosition?: number;
  readonly dims?: number;
  readonly width?: number;
  readonly seed?: number;
}

/** Weights of a model; the same for the same options. */
export function tinyModel(options: TinyOptions = {}): TinyModel {
  const { vocabulary = 600, places = 512, firstPosition = 0, dims = 6, width = 3, seed = 1 } = options;
  const draw = drawing(seed);
  const table = (length: number) => Float32Array.from({ length }, draw);
  return {
    dims,
    width,
    firstPosition,
    embeddings: table(vocabulary * dims),
    positions: table(places * dims),
    weights: table(dims * width),
    bias: table(width),
  };
}

/** Numbers from -1 to 1. */
function drawing(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 1_073_741_824 - 1;
  };
}

export type Kind = "text" | "token" | "vectors" | "sentence";

export interface GraphOptions {
  readonly kind: Kind;
  readonly inputs?: readonly string[];
  readonly type?: "int64" | "int32";
  readonly output?: string;
  /** Where the embeddings lie, where that is another file. */
  readonly embeddings?: Bytes;
}

/** The `.onnx` file of a model. */
export function tinyGraph(model: TinyModel, options: GraphOptions): Buffer {
  const { kind, inputs = ["input_ids", "attention_mask", "token_type_ids"], type = "int64" } = options;
  const { dims, width, embeddings, positions, weights, bias, firstPosition } = model;
  const g = new GraphBuilder();
  for (const name of inputs) g.input(name, type, ["batch", "length"]);
  const scalar = (value: number) => g.weight("int64", [], BigInt64Array.of(BigInt(value)));
  const wide = (name: string) => (type === "int64" ? name : g.node("Cast", [name], { to: { int: 7 } }));
  const table = g.weight("float32", [embeddings.length / dims, dims], options.embeddings ?? embeddings);
  const places = g.weight("float32", [positions.length / dims, dims], positions);
  const ids = inputs.includes("input_ids") ? "input_ids" : inputs[0]!;
  // Without a mask, ones in its place.
  const mask = inputs.includes("attention_mask")
    ? wide("attention_mask")
    : g.node("Add", [g.node("Mul", [wide(ids), scalar(0)]), scalar(1)]);
  const counted = g.node("CumSum", [mask, scalar(1)]);
  const place = g.node("Add", [counted, scalar(firstPosition - 1)]);
  let sum = g.node("Add", [g.node("Gather", [table, ids]), g.node("Gather", [places, place])]);
  if (inputs.includes("token_type_ids")) {
    // Type 0 adds nothing, any other would be seen.
    const types = g.weight("float32", [2, dims], new Float32Array(2 * dims).fill(9, dims));
    sum = g.node("Add", [sum, g.node("Gather", [types, "token_type_ids"])]);
  }
  const hidden = g.node("Tanh", [sum]);
  const shares = g.node("Unsqueeze", [g.node("Cast", [mask], { to: { int: 1 } }), axes(g, 2)]);
  const mean = () =>
    g.node("Div", [
      g.node("ReduceSum", [g.node("Mul", [hidden, shares]), axes(g, 1)], { keepdims: { int: 0 } }),
      g.node("ReduceSum", [shares, axes(g, 1)], { keepdims: { int: 0 } }),
    ]);
  const head = (from: string) =>
    g.node("Add", [
      g.node("MatMul", [from, g.weight("float32", [dims, width], weights)]),
      g.weight("float32", [width], bias),
    ]);
  if (kind === "text") g.output(options.output ?? "logits", "float32", ["batch", width], head(mean()));
  if (kind === "token") g.output("logits", "float32", ["batch", "length", width], head(hidden));
  if (kind === "vectors") g.output("last_hidden_state", "float32", ["batch", "length", dims], hidden);
  if (kind === "sentence") g.output("sentence_embedding", "float32", ["batch", dims], mean());
  return encodeOnnx(g);
}

const axes = (g: GraphBuilder, axis: number): string =>
  g.weight("int64", [1], BigInt64Array.of(BigInt(axis)));

/** A directory that is gone with the test; files of objects are written as JSON. */
export class ModelDirectory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "own-model-"));

  constructor(files: Readonly<Record<string, Uint8Array | object | string | undefined>>) {
    for (const [name, content] of Object.entries(files)) if (content !== undefined) this.write(name, content);
  }

  write(name: string, content: Uint8Array | object | string): void {
    const path = join(this.path, name);
    mkdirSync(join(path, ".."), { recursive: true });
    const isPlain = typeof content === "string" || content instanceof Uint8Array;
    writeFileSync(path, isPlain ? content : JSON.stringify(content));
  }

  at(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}
