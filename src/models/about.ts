import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { BUCKETS } from "./features.ts";
import { TOKEN_FEATURES } from "./tokens.ts";

/** One text of the self-test and what the model said of it when it was exported. */
export interface SelfTest {
  readonly text: string;
  readonly category: string;
  readonly category_score: number;
  readonly jailbreak: number;
  readonly embedding_head: readonly number[];
}

/** `encoder.json`: what must be known to run `encoder.onnx`. */
export interface About {
  readonly format: number;
  readonly sha256: string;
  readonly labels: readonly string[];
  readonly entity_labels: readonly string[];
  readonly dims: number;
  readonly features: { readonly buckets: number; readonly limit: number; readonly token_features: number };
  /** Jailbreak windows in UTF-16 units: texts up to `whole` are also scored in one piece. */
  readonly windows: { readonly size: number; readonly stride: number; readonly whole: number };
  readonly thresholds: Readonly<Record<string, number>>;
  readonly self_test: readonly SelfTest[];
}

/** The files of a model directory, read and checked against one another. */
export interface ModelFiles {
  readonly about: About;
  readonly onnxPath: string;
}

const FORMAT = 1;
const REMEDY = "restore the models directory from the package, or run training/train.py";

/**
 * Reads `encoder.json` in `dir` and checks that it describes `encoder.onnx` beside it and fits this program.
 * Throws an Error that names the file and the remedy.
 */
export function readModel(dir: string): ModelFiles {
  const jsonPath = join(dir, "encoder.json");
  const onnxPath = join(dir, "encoder.onnx");
  const about = parse(
    jsonPath,
    reading(jsonPath, () => readFileSync(jsonPath, "utf8")),
  );
  if (digestOf(onnxPath) !== about.sha256) {
    throw new Error(`${onnxPath} is not the file that ${jsonPath} describes (sha256 differs): ${REMEDY}`);
  }
  return { about, onnxPath };
}

// Piece by piece: the whole file at once would stay in the resident set for good.
function digestOf(path: string): string {
  const hash = createHash("sha256");
  const piece = new Uint8Array(1 << 16);
  return reading(path, () => {
    const file = openSync(path, "r");
    try {
      for (let n = readSync(file, piece); n > 0; n = readSync(file, piece)) hash.update(piece.subarray(0, n));
    } finally {
      closeSync(file);
    }
    return hash.digest("hex");
  });
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
  if (
    typeof about?.sha256 !== "string" ||
    typeof about.dims !== "number" ||
    !Array.isArray(about.labels) ||
    !Array.isArray(about.entity_labels) ||
    !Array.isArray(about.self_test) ||
    typeof about.windows?.size !== "number"
  ) {
    throw new Error(`${path} lacks fields that this version needs: ${REMEDY}`);
  }
  const fits =
    about.format === FORMAT &&
    about.features?.buckets === BUCKETS &&
    about.features.token_features === TOKEN_FEATURES;
  if (!fits) {
    throw new Error(`${path} was made for another version of this program: ${REMEDY}`);
  }
  return about as About;
}
