import "../../src/models/silent.ts";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { ensurePeerShape } from "../../bench/peer-shape/file.ts";
import { modernBertBase, parametersOf, type Shape } from "../../bench/peer-shape/shape.ts";

/** Small, but with everything that the large one has: both kinds of layers, and texts longer than the local ones reach. */
const tiny: Shape = {
  vocabulary: 50,
  layers: 4,
  hidden: 32,
  heads: 2,
  inner: 48,
  globalEvery: 3,
  reach: 3,
  theta: { global: 160_000, local: 2 },
  labels: 5,
  positions: 32,
};

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "peer-shape-"));
  folders.push(folder);
  return folder;
}

const weightsOf = (path: string): string => path.replace(/onnx$/, "weights");

async function logitsOf(path: string, tokens: readonly number[]): Promise<number[]> {
  const session = await InferenceSession.create(path, {
    graphOptimizationLevel: "all",
    intraOpNumThreads: 1,
  });
  try {
    const ids = new Tensor("int64", BigInt64Array.from(tokens, BigInt), [1, tokens.length]);
    const { logits } = await session.run({ input_ids: ids });
    return [...(logits!.data as Float32Array)];
  } finally {
    await session.release();
  }
}

describe("the peer's shape", () => {
  test("is ModernBERT: the same weights give what its reference implementation gives", async () => {
    const path = ensurePeerShape({ folder: freshFolder(), shape: tiny });
    // ModernBertForSequenceClassification of transformers 5.15.1, its weights read from this file, attention "eager",
    // classifier_pooling "mean", local_attention 6, rope_theta 160000 and 2.
    const wanted = [0.0391925797, -0.0025528986, 0.1122666374, 0.1820853651, 0.0232902411];
    const got = await logitsOf(path, [1, 7, 30, 12, 5, 44, 21, 8, 8, 19, 33, 2]);
    for (const [i, value] of wanted.entries())
      assert.ok(Math.abs(got[i]! - value) < 1e-6, `${got} ${wanted}`);
  });

  test("has as many parameters as the published model, and its head", () => {
    // As counted by the reference implementation for the small one.
    assert.equal(parametersOf(tiny), 37_925);
    assert.equal(Math.round(parametersOf(modernBertBase) / 1e6), 150);
  });

  test("has the same weights wherever it is made", () => {
    const [one, two] = [freshFolder(), freshFolder()].map((folder) =>
      ensurePeerShape({ folder, shape: tiny }),
    );
    assert.deepEqual(readFileSync(weightsOf(one!)), readFileSync(weightsOf(two!)));
    assert.deepEqual(readFileSync(one!), readFileSync(two!));
  });

  test("is made once, and again when a file is gone", () => {
    const folder = freshFolder();
    const said: string[] = [];
    const ensure = () => ensurePeerShape({ folder, shape: tiny, tell: (line) => said.push(line) });
    const path = ensure();
    const size = statSync(weightsOf(path)).size;
    ensure();
    assert.equal(said.length, 1, "used again");
    rmSync(weightsOf(path));
    ensure();
    assert.equal(said.length, 2, "made again");
    assert.equal(statSync(weightsOf(path)).size, size);
  });
});
