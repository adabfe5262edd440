import "../../src/models/silent.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { encodeOnnx, GraphBuilder, type OnnxTensor } from "../../scripts/lib/onnx.ts";

test("graphs that are written by hand run, with attributes of every kind", async () => {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", [1, 4, "rows", 1]);
  const two: OnnxTensor = { name: "two", type: "float32", dims: [1], data: Float32Array.of(2) };
  const leaky = g.node("LeakyRelu", [x], { alpha: { float: 0.5 } });
  const wide = g.node("DepthToSpace", [leaky], { blocksize: { int: 2 }, mode: { text: "CRD" } });
  const turned = g.node("Transpose", [wide], { perm: { ints: [0, 1, 3, 2] } });
  const times = g.node("Mul", [turned, g.node("Constant", [], { value: { tensor: two } })]);
  const plus = g.node("Add", [times, g.node("Constant", [], { value_floats: { floats: [10, 0.25] } })]);
  const halves = g.nodeOf(2, "Split", [plus], { axis: { int: -1 } });
  g.output("left", "float32", [1, 1, 2, 1], halves[0]!);
  g.output("right", "float32", [1, 1, 2, 1], halves[1]!);
  const session = await InferenceSession.create(encodeOnnx(g, { "": 13, "com.microsoft": 1 }));
  const [input] = session.inputMetadata;
  assert.deepEqual(input!.isTensor && [input!.name, input!.shape], ["x", [1, 4, "rows", 1]]);
  assert.deepEqual(
    session.outputMetadata.map((output) => output.isTensor && [output.name, output.type, output.shape]),
    [
      ["left", "float32", [1, 1, 2, 1]],
      ["right", "float32", [1, 1, 2, 1]],
    ],
  );
  const { left, right } = await session.run({
    x: new Tensor("float32", Float32Array.of(1, -2, 3, -4), [1, 4, 1, 1]),
  });
  // Rows and columns of a square: 1 -1 / 3 -2, turned, twice, and 10 or 0.25 more by column.
  assert.deepEqual([...(left!.data as Float32Array)], [12, 8]);
  assert.deepEqual([...(right!.data as Float32Array)], [6.25, -3.75]);
  await session.release();
});
