import { join } from "node:path";
import { type Architecture, architectureOf } from "./architecture.ts";
import { checkDirectory, checkFile, jsonAt, optionalJsonAt, statusOf } from "./disk.ts";
import { type Limit, limitAt, lowest } from "./limit.ts";
import { Misfit, numberAt, type Part } from "./tokenizer/part.ts";
import { readTokenizer, type Tokenizer } from "./tokenizer/tokenizer.ts";

/** What a model's directory holds, read and checked as far as that goes without running it. */
export interface ModelFiles {
  readonly onnxPath: string;
  readonly config: Part;
  readonly configPath: string;
  readonly architecture: Architecture;
  readonly tokenizer: Tokenizer;
  readonly tokenizerPath: string;
  /** Of one pass. */
  readonly limit: Limit;
  /** How token vectors become one, as sentence-transformers has it. */
  readonly pooling: "mean" | "cls";
}

const GRAPHS = ["model.onnx", join("onnx", "model.onnx")];

/**
 * Reads `config.json`, `tokenizer.json`, the path of the graph, and what says how long a text may be.
 * Throws a Misfit that names the file, what is missing, and the remedy.
 */
export function readModelFiles(dir: string): ModelFiles {
  checkDirectory(dir);
  const configPath = join(dir, "config.json");
  const config = jsonAt(configPath, "copy it from the model it was exported from");
  const architecture = architectureOf(config, configPath);
  const tokenizerPath = join(dir, "tokenizer.json");
  const tokenizer = tokenizerAt(tokenizerPath);
  const vocabulary = numberAt(config, "vocab_size");
  if (vocabulary !== undefined && tokenizer.size > vocabulary) {
    const misfit = `has ${tokenizer.size} tokens, but the model of ${configPath} knows ${vocabulary}`;
    throw new Misfit(`${tokenizerPath}: ${misfit}; take both from the same model`);
  }
  const onnxPath = GRAPHS.map((name) => join(dir, name)).find((path) => statusOf(path));
  if (onnxPath === undefined) {
    throw new Misfit(`${dir}: there is no ${GRAPHS.join(" and no ")}; export the model to ONNX`);
  }
  checkFile(onnxPath, "copy the whole file that the export wrote");
  return {
    onnxPath,
    config,
    configPath,
    architecture,
    tokenizer,
    tokenizerPath,
    limit: lowest(
      architecture.positions,
      limitIn(join(dir, "tokenizer_config.json"), "model_max_length"),
      limitIn(join(dir, "sentence_bert_config.json"), "max_seq_length"),
    ),
    pooling: poolingAt(join(dir, "1_Pooling", "config.json")),
  };
}

const limitIn = (path: string, key: string): Limit | undefined => limitAt(optionalJsonAt(path), key, path);

function tokenizerAt(path: string): Tokenizer {
  const remedy = "save the tokenizer with transformers' AutoTokenizer (the fast one)";
  const json = jsonAt(path, remedy);
  try {
    return readTokenizer(json);
  } catch (error) {
    if (error instanceof Misfit) throw new Misfit(`${path}: ${error.message}; ${remedy}`);
    throw error;
  }
}

function poolingAt(path: string): ModelFiles["pooling"] {
  if (!statusOf(path)) return "mean";
  const modes = Object.entries(jsonAt(path, "mend it or take it away"))
    .filter(([key, value]) => key.startsWith("pooling_mode_") && value === true)
    .map(([key]) => key.slice("pooling_mode_".length));
  if (modes.length === 1 && modes[0] === "mean_tokens") return "mean";
  if (modes.length === 1 && modes[0] === "cls_token") return "cls";
  throw new Misfit(
    `${path}: pools by ${modes.join(" and ") || "nothing"}; only mean_tokens or cls_token is known here`,
  );
}
