import "../../src/models/silent.ts";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { answerParent } from "../lib/role.ts";
import { modernBertBase } from "../peer-shape/shape.ts";

/** The peer's model on the same runtime, in a process of its own, with the settings that suit it best. */

const marks = { first: 50_281n, last: 50_282n };
/** Ids above are marks and unused places. */
const words = 50_000;
let session: InferenceSession;
let passed = 0;

/** Other tokens for every pass, always the same sequence. */
function inputOf(tokens: number): Tensor {
  passed += 1;
  let state = passed;
  const ids = BigInt64Array.from({ length: tokens }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return BigInt((state >>> 8) % words);
  });
  ids[0] = marks.first;
  ids[tokens - 1] = marks.last;
  return new Tensor("int64", ids, [1, tokens]);
}

async function pass(tokens: number): Promise<void> {
  const { logits } = await session.run({ input_ids: inputOf(tokens) });
  const scores = logits?.data as Float32Array;
  if (scores.length !== modernBertBase.labels || !scores.every(Number.isFinite))
    throw new Error("the peer's shape gave no scores");
}

answerParent({
  /** Milliseconds from the start of this process until the model is loaded. */
  async load(path: string): Promise<number> {
    session = await InferenceSession.create(path, {
      executionProviders: ["cpu"],
      graphOptimizationLevel: "all",
      executionMode: "sequential",
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
    return performance.now();
  },
  /** CPU milliseconds of `passes` passes, one after the other, all threads. */
  async passes({ tokens, passes }: { tokens: number; passes: number }): Promise<number> {
    const cpu = process.cpuUsage();
    for (let i = 0; i < passes; i += 1) await pass(tokens);
    const { user, system } = process.cpuUsage(cpu);
    return (user + system) / 1000;
  },
});
