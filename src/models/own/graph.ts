import "../silent.ts";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { Misfit } from "./tokenizer/part.ts";

/** What a graph gives: `logits` of a text or of its tokens, or vectors. */
export interface Output {
  /** Row by row. */
  readonly data: Float32Array;
  /** Without the batch, which is 1: (labels,), (tokens, labels), (dims,) or (tokens, dims). */
  readonly dims: readonly number[];
}

export interface Graph {
  /** One pass over one text. ids: with special tokens. */
  run(ids: readonly number[] | Int32Array): Promise<Output>;
  readonly output: string;
  close(): Promise<void>;
}

export interface GraphOptions {
  /** Threads of one pass. */
  readonly threads: number;
  /** Does the work that leaves JavaScript: see gate.ts. */
  readonly inside: <T>(work: () => Promise<T>) => Promise<T>;
}

type Feed = (length: number) => BigInt64Array;

// One text at a time, so nothing is padded and all of it counts.
const INPUTS: Readonly<Record<string, Feed | undefined>> = {
  attention_mask: (length) => new BigInt64Array(length).fill(1n),
  token_type_ids: (length) => new BigInt64Array(length),
};

const OUTPUTS = {
  logits: ["logits"],
  vectors: ["sentence_embedding", "last_hidden_state", "token_embeddings"],
} as const;

/**
 * Loads the graph at `path` and finds the output for `wanted`.
 * Throws a Misfit when it cannot be loaded or its inputs or outputs are not known.
 */
export async function openGraph(
  path: string,
  wanted: keyof typeof OUTPUTS,
  { threads, inside }: GraphOptions,
): Promise<Graph> {
  const session = await inside(() => load(path, threads));
  const unknown = session.inputNames.find((name) => name !== "input_ids" && !Object.hasOwn(INPUTS, name));
  if (unknown !== undefined || !session.inputNames.includes("input_ids")) {
    const what = unknown === undefined ? "input_ids is missing" : `${unknown} is not known here`;
    const known = ["input_ids", ...Object.keys(INPUTS)].join(", ");
    throw new Misfit(
      `${path}: of its inputs, ${what}; known are ${known}: export an encoder without a cache`,
    );
  }
  const wide = session.inputMetadata.find((input) => !input.isTensor || input.type !== "int64");
  if (wide) throw new Misfit(`${path}: its input ${wide.name} is not int64; export it as transformers does`);
  const fixed = session.inputMetadata.find((input) => input.isTensor && !fits(input.shape));
  if (fixed?.isTensor) {
    const form = fixed.shape.join(" by ");
    throw new Misfit(
      `${path}: its input ${fixed.name} is always ${form} tokens; export it with variable lengths, as optimum-cli does`,
    );
  }
  const output = OUTPUTS[wanted].find((name) => session.outputNames.includes(name));
  if (output === undefined) {
    const found = session.outputNames.join(", ");
    const remedy =
      wanted === "logits"
        ? "export it as a classifier (text-classification or token-classification)"
        : "export it for feature-extraction";
    throw new Misfit(`${path}: has no output ${OUTPUTS[wanted].join(" or ")}, only ${found}; ${remedy}`);
  }

  return {
    output,
    async run(ids) {
      const dims = [1, ids.length];
      const feeds: Record<string, Tensor> = {};
      for (const name of session.inputNames) {
        const feed = INPUTS[name]?.(ids.length) ?? BigInt64Array.from(ids, BigInt);
        feeds[name] = new Tensor("int64", feed, dims);
      }
      const tensor = (await inside(() => session.run(feeds, [output])))[output]!;
      if (!(tensor.data instanceof Float32Array))
        throw new Misfit(`${path}: its output ${output} is ${tensor.type}; export it with float32 outputs`);
      return { data: tensor.data, dims: tensor.dims.slice(1) };
    },
    close: () => session.release(),
  };
}

// What the runtime says of a file with weights beside the graph, in words that name a remedy.
const WEIGHTS_BESIDE: readonly (readonly [RegExp, (file: string) => string])[] = [
  [
    /data path does not exist: "(.+)"/,
    (file) => `its weights lie in ${file}, which is not there; copy that file too`,
  ],
  [
    /open file "(.+)" failed/,
    (file) =>
      `its weights lie in ${file}, which cannot be read; let the user that the router runs as read it`,
  ],
  [/External initializer: .*out of bounds/, () => "the file with its weights is cut short; copy all of it"],
];

async function load(path: string, threads: number): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(path, {
      executionProviders: ["cpu"],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      // What it would say of a pass that fails may hold token ids, and those are the text.
      logSeverityLevel: 4,
      // Threads that wait in a loop would take the cores from everybody else.
      extra: { session: { intra_op: { allow_spinning: "0" } } },
    });
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n", 1)[0]! : "unknown failure";
    for (const [pattern, says] of WEIGHTS_BESIDE) {
      const found = pattern.exec(why);
      if (found) throw new Misfit(`${path}: ${says(found[1] ?? "")}`);
    }
    throw new Misfit(`${path}: cannot be loaded (${why}); export the model to ONNX anew`);
  }
}

/** Whether texts of any length fit, one at a time. */
const fits = ([batch, length]: readonly (number | string)[]): boolean =>
  !(isFixed(batch) && batch !== 1) && !isFixed(length);

/** A length that is known only when the graph runs has a name, or no number above 0. */
const isFixed = (length: number | string | undefined): boolean => typeof length === "number" && length > 0;
