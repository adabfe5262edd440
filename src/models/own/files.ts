import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Architecture, architectureOf } from "./architecture.ts";
import { isPart, Misfit, numberAt, type Part } from "./tokenizer/part.ts";
import { readTokenizer, type Tokenizer } from "./tokenizer/tokenizer.ts";

/** What a model's directory holds, read and checked as far as that goes without running it. */
export interface ModelFiles {
  readonly onnxPath: string;
  readonly config: Part;
  readonly configPath: string;
  readonly architecture: Architecture;
  readonly tokenizer: Tokenizer;
  /** Tokens in one pass, special ones included. */
  readonly maxTokens: number;
  /** How token vectors become one, as sentence-transformers has it. */
  readonly pooling: "mean" | "cls";
}

const GRAPHS = ["model.onnx", join("onnx", "model.onnx")];

/**
 * Reads `config.json`, `tokenizer.json`, the path of the graph, and what says how long a text may be.
 * Throws a Misfit that names the file, what is missing, and the remedy.
 */
export function readModelFiles(dir: string): ModelFiles {
  if (!isDirectory(dir))
    throw new Misfit(`${dir}: no such directory; name the directory that holds the model`);
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
  const onnxPath = GRAPHS.map((name) => join(dir, name)).find((path) => existsSync(path));
  if (onnxPath === undefined) {
    throw new Misfit(`${dir}: there is no ${GRAPHS.join(" and no ")}; export the model to ONNX`);
  }
  const limits = [
    architecture.positions,
    numberAt(optional(join(dir, "tokenizer_config.json")), "model_max_length"),
    numberAt(optional(join(dir, "sentence_bert_config.json")), "max_seq_length"),
  ];
  return {
    onnxPath,
    config,
    configPath,
    architecture,
    tokenizer,
    maxTokens: Math.min(...limits.filter((limit) => limit !== undefined)),
    pooling: poolingAt(join(dir, "1_Pooling", "config.json")),
  };
}

/** The JSON object in a file. `remedy` is for the case that the file is not there. */
export function jsonAt(path: string, remedy: string): Part {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code = "unreadable" } = error as NodeJS.ErrnoException;
    throw new Misfit(
      `${path}: ${code === "ENOENT" ? "no such file" : `cannot be read (${code})`}; ${remedy}`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Misfit(`${path}: not valid JSON; ${remedy}`);
  }
  if (!isPart(value)) throw new Misfit(`${path}: no JSON object; ${remedy}`);
  return value;
}

const optional = (path: string): Part => (existsSync(path) ? jsonAt(path, "mend it or take it away") : {});

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
  if (!existsSync(path)) return "mean";
  const modes = Object.entries(jsonAt(path, "mend it or take it away"))
    .filter(([key, value]) => key.startsWith("pooling_mode_") && value === true)
    .map(([key]) => key.slice("pooling_mode_".length));
  if (modes.length === 1 && modes[0] === "mean_tokens") return "mean";
  if (modes.length === 1 && modes[0] === "cls_token") return "cls";
  throw new Misfit(
    `${path}: pools by ${modes.join(" and ") || "nothing"}; only mean_tokens or cls_token is known here`,
  );
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
