import "./silent.ts";
import { InferenceSession, Tensor } from "onnxruntime-node";

/** What the graph says of one window of n tokens, its two marks among them. */
export interface Outputs {
  /** Not of unit length. (dims,) */
  readonly embedding: Float32Array;
  /** Logits. (labels,) */
  readonly category: Float32Array;
  /** Logits. (guard labels,) */
  readonly guard: Float32Array;
  /** Logits. (n * tags,) */
  readonly tags: Float32Array;
}

/** One window through the graph, on the calling thread. ids: token numbers, cases: letter cases 0..3. (n,) each */
export type Run = (ids: Int32Array, cases: Int32Array) => Promise<Outputs>;

export interface Model {
  readonly run: Run;
  close(): Promise<void>;
}

/**
 * How a session is set up for a graph that was optimised when it was exported. One more pass of optimisation would undo
 * some of it, and cost start-up time.
 */
export function sessionOptions(threads: number): InferenceSession.SessionOptions {
  return {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "disabled",
    // Windows differ in length: a plan of the memory for each would be kept for good.
    enableMemPattern: false,
    // A helper that spins for work takes the core from whoever else could use it.
    ...(threads > 1 && { extra: { session: { intra_op: { allow_spinning: "0" } } } }),
  };
}

const INPUTS = ["ids", "cases"];
const OUTPUTS = ["embedding", "category", "guard", "tags"];

/** Loads the graph at `path`. Memory: about twice the file's size. Rejects when it is no graph, or one of other names. */
export async function loadModel(path: string, threads: number): Promise<Model> {
  const session = await InferenceSession.create(path, sessionOptions(threads));
  const missing = [
    ...INPUTS.filter((name) => !session.inputNames.includes(name)),
    ...OUTPUTS.filter((name) => !session.outputNames.includes(name)),
  ];
  if (missing.length > 0) throw new Error(`the graph has no ${missing.join(", ")}`);
  return {
    async run(ids, cases) {
      const { embedding, category, guard, tags } = await session.run({
        ids: new Tensor("int32", ids, [ids.length]),
        cases: new Tensor("int32", cases, [cases.length]),
      });
      return {
        embedding: floats(embedding),
        category: floats(category),
        guard: floats(guard),
        tags: floats(tags),
      };
    },
    close: () => session.release(),
  };
}

const floats = (tensor: Tensor | undefined): Float32Array => tensor!.data as Float32Array;
