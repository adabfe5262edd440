import type { Entity } from "../encode.ts";
import { readModelFiles } from "./files.ts";
import { stampsOf } from "./fingerprint.ts";
import { type GraphOptions, openGraph } from "./graph.ts";
import { SERVINGS } from "./servings.ts";
import { Misfit } from "./tokenizer/part.ts";
import { Windowed } from "./windowed.ts";

/** What a model of one's own says of a text, by task. */
export interface OwnResults {
  /** Probabilities in the order of `labels`; they add up to 1. */
  readonly category: Float32Array;
  /** The highest probability of a jailbreak attempt over all windows. 0..1 */
  readonly jailbreak: number;
  readonly pii: readonly Entity[];
  /** Unit length. (dims,) */
  readonly embedding: Float32Array;
}

export type OwnTask = keyof OwnResults;

export interface OwnModel<T extends OwnTask = OwnTask> {
  readonly task: T;
  /** Of a category model its labels, of a pii model its types, of a guard its labels; none of an embedding model. */
  readonly labels: readonly string[];
  /** Length of an embedding; 0 for the other tasks. */
  readonly dims: number;
  /** Changes whenever its files do. */
  readonly fingerprint: string;
  /** Reads a text, one pass at a time; yields after each how many UTF-16 units are left, about. */
  scan(text: string): AsyncGenerator<number, OwnResults[T], void>;
  /** Reads a text to its end. */
  run(text: string): Promise<OwnResults[T]>;
  close(): Promise<void>;
}

/** The models that are loaded, by task. */
export type OwnModels = { readonly [T in OwnTask]?: OwnModel<T> };

/** Where the model for a task lies. */
export interface OwnModelSpec<T extends OwnTask = OwnTask> {
  readonly task: T;
  /** The key of the configuration that names it, for errors. */
  readonly key?: string;
  readonly dir: string;
  /** A mapping file of vLLM Semantic Router; without it the labels of `config.json`. */
  readonly mappingPath?: string;
}

export interface OwnModelOptions {
  /** Threads of one pass. Default 1. */
  readonly threads?: number;
  /** Tokens of one pass, special ones included, where the model would take more. Default 512. */
  readonly windowTokens?: number;
  /** Does the work that leaves JavaScript: see gate.ts. Default: just does it. */
  readonly inside?: GraphOptions["inside"];
}

/**
 * Loads a model in Hugging Face's layout for one task, and tries it on a word and on a full window.
 * Rejects with a Misfit that names the key, the file, what is wrong with it, and the remedy.
 */
export async function loadOwnModel<T extends OwnTask>(
  spec: OwnModelSpec<T>,
  { threads = 1, windowTokens = 512, inside = (work) => work() }: OwnModelOptions = {},
): Promise<OwnModel<T>> {
  try {
    const files = readModelFiles(spec.dir);
    const before = stampsOf(files);
    const wanted = spec.task === "embedding" ? "vectors" : "logits";
    const graph = await openGraph(files.onnxPath, wanted, { threads, inside });
    try {
      const windowed = new Windowed(files, graph, Math.min(windowTokens, files.limit.tokens));
      const model = (await SERVINGS[spec.task](files, windowed, spec.mappingPath)) as OwnModel as OwnModel<T>;
      if (stampsOf(files) !== before)
        throw new Misfit(`${files.onnxPath}: was changed while it was loaded; start again`);
      return model;
    } catch (error) {
      await graph.close();
      throw error;
    }
  } catch (error) {
    if (error instanceof Misfit && spec.key) throw new Misfit(`${spec.key}: ${error.message}`);
    throw error;
  }
}

/** Loads all models of one's own. Rejects, with none left open, when one cannot be used. */
export async function ownModels(
  specs: readonly OwnModelSpec[],
  options: OwnModelOptions = {},
): Promise<OwnModels> {
  const models: Partial<Record<OwnTask, OwnModel>> = {};
  try {
    for (const spec of specs) models[spec.task] = await loadOwnModel(spec, options);
  } catch (error) {
    await Promise.all(Object.values(models).map((model) => model.close()));
    throw error;
  }
  return models as OwnModels;
}
