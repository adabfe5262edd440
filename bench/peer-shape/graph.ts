import type { GraphBuilder } from "../../scripts/lib/onnx.ts";
import { attend, countOf, nearMask, rotaryOf } from "./attention.ts";
import type { Shape } from "./shape.ts";
import type { WeightFile } from "./weight-file.ts";

const epsilon = 1e-5;

/**
 * Builds the forward pass: `input_ids` (1, n) int64, with its marks, to `logits` (1, labels). One text at a time and no
 * padding, so no attention mask is asked for. The operators are those of an export; ONNX Runtime's own optimisation makes
 * one of what belongs together. Its contrib operators for attention and rotary positions gave the same within 2 %.
 */
export function buildGraph(graph: GraphBuilder, weights: WeightFile, shape: Shape): void {
  const { vocabulary, layers, hidden, inner, globalEvery, labels } = shape;
  const norm = (name: string, x: string) =>
    graph.node("LayerNormalization", [x, weights.constant(`${name}.weight`, 1, hidden)], {
      axis: { int: -1 },
      epsilon: { float: epsilon },
    });
  const linear = (name: string, x: string, from: number, to: number) =>
    graph.node("MatMul", [x, weights.random(`${name}.weight`, from, to)]);

  const ids = graph.input("input_ids", "int64", [1, "n"]);
  const words = weights.random("embeddings.tok_embeddings.weight", vocabulary, hidden);
  let x = norm("embeddings.norm", graph.node("Gather", [words, ids]));

  const count = countOf(graph, ids);
  const rotary = {
    global: rotaryOf(graph, weights, count, "global", shape),
    local: rotaryOf(graph, weights, count, "local", shape),
  };
  const near = nearMask(graph, weights, count, shape);
  for (let i = 0; i < layers; i += 1) {
    const at = `layers.${i}`;
    const kind = i % globalEvery === 0 ? "global" : "local";
    const normed = i === 0 ? x : norm(`${at}.attn_norm`, x);
    const packed = linear(`${at}.attn.Wqkv`, normed, hidden, 3 * hidden);
    const [query, key, value] = graph.nodeOf(3, "Split", [packed], { axis: { int: 2 } });
    const mask = kind === "local" ? near : undefined;
    const seen = attend(graph, { query: query!, key: key!, value: value! }, rotary[kind], mask, shape);
    x = graph.node("Add", [x, linear(`${at}.attn.Wo`, seen, hidden, hidden)]);

    const wide = linear(`${at}.mlp.Wi`, norm(`${at}.mlp_norm`, x), hidden, 2 * inner);
    const [input, gate] = graph.nodeOf(2, "Split", [wide], { axis: { int: 2 } });
    const gated = graph.node("Mul", [gelu(graph, input!), gate!]);
    x = graph.node("Add", [x, linear(`${at}.mlp.Wo`, gated, inner, hidden)]);
  }

  const last = norm("final_norm", x);
  const pooled = graph.node("ReduceMean", [last], { axes: { ints: [1] }, keepdims: { int: 0 } });
  const dense = norm("head.norm", gelu(graph, linear("head.dense", pooled, hidden, hidden)));
  const scores = linear("classifier", dense, hidden, labels);
  const logits = graph.node("Add", [scores, weights.constant("classifier.bias", 0, labels)]);
  graph.output("logits", "float32", [1, labels], logits);
}

/** The exact Gelu in the form in which exports have it: ONNX Runtime makes one operator of it. */
function gelu(graph: GraphBuilder, x: string): string {
  const scalar = (value: number) => graph.weight("float32", [], Float32Array.of(value));
  const erf = graph.node("Erf", [graph.node("Div", [x, scalar(Math.SQRT2)])]);
  const doubled = graph.node("Mul", [x, graph.node("Add", [erf, scalar(1)])]);
  return graph.node("Mul", [doubled, scalar(0.5)]);
}
