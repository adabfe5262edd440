import type { GraphBuilder } from "../../scripts/lib/onnx.ts";
import type { Shape } from "./shape.ts";
import type { WeightFile } from "./weight-file.ts";

/** Added to the score of a token that is out of reach: nothing is left of it after the softmax. */
const never = -1e9;

/** Cosines and sines for the n tokens that there are. (n, head) each */
export interface Rotary {
  readonly cosines: string;
  readonly sines: string;
}

/** Index numbers as a tensor. (values.length,) */
const places = (graph: GraphBuilder, ...values: number[]): string =>
  graph.weight("int64", [values.length], BigInt64Array.from(values, BigInt));

/** How many tokens the input has. (1,) */
export const countOf = (graph: GraphBuilder, ids: string): string =>
  graph.node("Gather", [graph.node("Shape", [ids]), places(graph, 1)]);

/** Query, key and value (1, n, hidden) each to what is seen (1, n, hidden). `mask`: (1, 1, n, n), added to the scores. */
export function attend(
  graph: GraphBuilder,
  { query, key, value }: { query: string; key: string; value: string },
  { cosines, sines }: Rotary,
  mask: string | undefined,
  { hidden, heads }: Shape,
): string {
  const head = hidden / heads;
  const transpose = (x: string, ...order: number[]) =>
    graph.node("Transpose", [x], { perm: { ints: order } });
  const byHead = (x: string) =>
    transpose(graph.node("Reshape", [x, places(graph, 0, 0, heads, head)]), 0, 2, 1, 3);
  const turned = (x: string) => {
    const [left, right] = graph.nodeOf(2, "Split", [x], { axis: { int: 3 } });
    const rotated = graph.node("Concat", [graph.node("Neg", [right!]), left!], { axis: { int: 3 } });
    return graph.node("Add", [graph.node("Mul", [x, cosines]), graph.node("Mul", [rotated, sines])]);
  };
  const keys = transpose(turned(byHead(key)), 0, 1, 3, 2);
  const scale = graph.weight("float32", [], Float32Array.of(head ** -0.5));
  const scaled = graph.node("Mul", [graph.node("MatMul", [turned(byHead(query)), keys]), scale]);
  const scores = mask === undefined ? scaled : graph.node("Add", [scaled, mask]);
  const seen = graph.node("MatMul", [graph.node("Softmax", [scores], { axis: { int: -1 } }), byHead(value)]);
  return graph.node("Reshape", [transpose(seen, 0, 2, 1, 3), places(graph, 0, 0, hidden)]);
}

/** The front of tables by position and frequency; `count` as of `countOf`. */
export function rotaryOf(
  graph: GraphBuilder,
  weights: WeightFile,
  count: string,
  kind: "global" | "local",
  { hidden, heads, theta, positions }: Shape,
): Rotary {
  const head = hidden / heads;
  const half = head / 2;
  const angle = (place: number) => Math.floor(place / head) * theta[kind] ** (-(place % half) / half);
  const front = (name: string, of: (angle: number) => number) => {
    const table = weights.table(`rotary.${kind}.${name}`, (place) => of(angle(place)), positions, head);
    return graph.node("Slice", [table, places(graph, 0), count, places(graph, 0)]);
  };
  return { cosines: front("cosines", Math.cos), sines: front("sines", Math.sin) };
}

/** 0 between tokens within reach of each other, else `never`. (1, 1, n, n) */
export function nearMask(graph: GraphBuilder, weights: WeightFile, count: string, shape: Shape): string {
  const { positions, reach } = shape;
  const apart = (place: number) => Math.abs(Math.floor(place / positions) - (place % positions));
  const all = weights.table(
    "near",
    (place) => (apart(place) <= reach ? 0 : never),
    1,
    1,
    positions,
    positions,
  );
  const both = graph.node("Concat", [count, count], { axis: { int: 0 } });
  return graph.node("Slice", [all, places(graph, 0, 0), both, places(graph, 2, 3)]);
}
