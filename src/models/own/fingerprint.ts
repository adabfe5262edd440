import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { addFile } from "../digest.ts";
import type { ModelFiles } from "./files.ts";

/** 16 hex digits that change whenever what makes a model's vectors does: graph, weights beside it, tokenizer, pooling. */
export function fingerprintOf({ configPath, onnxPath }: ModelFiles): string {
  const dir = dirname(configPath);
  const graph = readdirSync(dirname(onnxPath))
    .filter((name) => name.startsWith(basename(onnxPath)))
    .map((name) => join(dirname(onnxPath), name));
  const others = ["config.json", "tokenizer.json", join("1_Pooling", "config.json")]
    .map((name) => join(dir, name))
    .filter((path) => existsSync(path));
  const hash = createHash("sha256");
  for (const path of [...others, ...graph.sort()]) addFile(hash, path);
  return hash.digest("hex").slice(0, 16);
}
