import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { addFile, stampOf } from "../digest.ts";
import { statusOf, unusable } from "./disk.ts";
import type { ModelFiles } from "./files.ts";

const REMEDY = "see that it is there";

/**
 * 16 hex digits that change whenever what makes a model's vectors does: graph, weights beside it, tokenizer, pooling.
 * Throws a Misfit for what may not be read.
 */
export function fingerprintOf(files: ModelFiles): string {
  const hash = createHash("sha256");
  for (const path of pathsOf(files)) {
    try {
      addFile(hash, path);
    } catch (error) {
      throw unusable(error, path, REMEDY);
    }
  }
  return hash.digest("hex").slice(0, 16);
}

/** Changes whenever one of these files is touched: what was loaded meanwhile may then be another than was looked at. */
export const stampsOf = (files: ModelFiles): string => pathsOf(files).map(stampOf).join(" ");

function pathsOf({ configPath, onnxPath }: ModelFiles): string[] {
  const dir = dirname(configPath);
  const graph = namesIn(dirname(onnxPath))
    .filter((name) => name.startsWith(basename(onnxPath)))
    .map((name) => join(dirname(onnxPath), name));
  const others = ["config.json", "tokenizer.json", join("1_Pooling", "config.json")].map((name) =>
    join(dir, name),
  );
  return [...others, ...graph.sort()].filter((path) => statusOf(path)?.isFile());
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    throw unusable(error, dir, REMEDY);
  }
}
