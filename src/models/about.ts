import { readFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "./digest.ts";
import type { WindowSize } from "./windows.ts";

/** One text of the self-test and what the model said of it when it was exported. */
export interface SelfTest {
  readonly text: string;
  readonly category: string;
  readonly category_score: number;
  readonly jailbreak: number;
  /** The first places of the unit-length sentence vector. */
  readonly embedding_head: readonly number[];
  /** What the token head must find; UTF-16 offsets. */
  readonly entities?: readonly { readonly type: string; readonly start: number; readonly end: number }[];
}

/** `encoder.json`: what must be known to run `encoder.onnx`. */
export interface About {
  readonly format: number;
  readonly sha256: { readonly onnx: string; readonly tokenizer: string };
  readonly labels: readonly string[];
  readonly guard_labels: readonly string[];
  /** "O", then "B-x", "I-x" for every type x that the token head knows. */
  readonly tags: readonly string[];
  /** Types that are reported of what the token head finds. */
  readonly entity_types: readonly string[];
  /** Length of the sentence vector. */
  readonly dims: number;
  readonly window: WindowSize;
  /** What logits are divided by. */
  readonly temperature: { readonly category: number; readonly guard: number };
  readonly thresholds: Readonly<Record<string, number>>;
  readonly self_test: readonly SelfTest[];
}

/** The files of a model directory, read and checked against one another. */
export interface ModelFiles {
  readonly about: About;
  readonly onnxPath: string;
  readonly tokenizerPath: string;
}

const FORMAT = 2;
/** What an operator does about files that do not do. */
export const REMEDY = "restore the models directory from the package, or run training/train.py";

/**
 * Reads `encoder.json` in `dir` and checks that it describes `encoder.onnx` and `tokenizer.json` beside it and fits this
 * program. Throws an Error that names the file and the remedy.
 */
export function readModel(dir: string): ModelFiles {
  const jsonPath = join(dir, "encoder.json");
  const onnxPath = join(dir, "encoder.onnx");
  const tokenizerPath = join(dir, "tokenizer.json");
  const about = parse(
    jsonPath,
    reading(jsonPath, () => readFileSync(jsonPath, "utf8")),
  );
  for (const [path, sha256] of [
    [tokenizerPath, about.sha256.tokenizer],
    [onnxPath, about.sha256.onnx],
  ] as const) {
    if (reading(path, () => digestOf(path)) !== sha256)
      throw new Error(`${path} is not the file that ${jsonPath} describes (sha256 differs): ${REMEDY}`);
  }
  return { about, onnxPath, tokenizerPath };
}

function reading<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new Error(`model file ${path} cannot be read (${code}): ${REMEDY}`);
  }
}

function parse(path: string, text: string): About {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${path} is not valid JSON: ${REMEDY}`);
  }
  const about = value as Partial<About> | null;
  if (about?.format !== FORMAT) {
    throw new Error(`${path} was made for another version of this program: ${REMEDY}`);
  }
  const lacking = Object.entries(FIELDS)
    .filter(([, there]) => !there(about))
    .map(([name]) => name);
  if (lacking.length > 0) {
    throw new Error(`${path} lacks fields or has wrong ones (${lacking.join(", ")}): ${REMEDY}`);
  }
  return about as About;
}

const words = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string");
const positive = (value: unknown): boolean => typeof value === "number" && value > 0;

/** Whether a field is there and of a kind that can be worked with. */
const FIELDS: Readonly<Record<string, (about: Partial<About>) => boolean>> = {
  sha256: ({ sha256 }) => typeof sha256?.onnx === "string" && typeof sha256.tokenizer === "string",
  labels: ({ labels }) => words(labels),
  guard_labels: ({ guard_labels }) => words(guard_labels) && guard_labels!.includes("jailbreak"),
  tags: ({ tags }) => words(tags) && tags![0] === "O",
  entity_types: ({ entity_types }) => Array.isArray(entity_types),
  dims: ({ dims }) => positive(dims),
  window: ({ window }) =>
    positive(window?.tokens) &&
    window!.tokens <= 256 &&
    window!.overlap >= 0 &&
    2 * window!.overlap <= window!.tokens - 2,
  temperature: ({ temperature }) => positive(temperature?.category) && positive(temperature?.guard),
  thresholds: ({ thresholds }) => typeof thresholds === "object" && thresholds !== null,
  self_test: ({ self_test }) => Array.isArray(self_test),
};
