import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeOnnx, GraphBuilder } from "../../scripts/lib/onnx.ts";
import { buildGraph } from "./graph.ts";
import { modernBertBase, type Shape } from "./shape.ts";
import { WeightFile } from "./weight-file.ts";

/** Goes up when the graph or its weights change: an older file is then not used any more. */
const edition = 1;
const cacheFolder = fileURLToPath(new URL("../../.cache/peer-shape", import.meta.url));

export interface PeerShapeOptions {
  /** Where the files are kept. Default: a folder that git ignores and that `npm ci` leaves alone. */
  readonly folder?: string;
  /** Default: ModernBERT-base. */
  readonly shape?: Shape;
  /** Hears that weights are written, which takes some seconds. */
  readonly tell?: (line: string) => void;
}

/**
 * The path of the ONNX file of this shape, made now if it is not there; 600 MB of weights lie beside it. What was left
 * half-written has another name and is made anew.
 */
export function ensurePeerShape({
  folder = cacheFolder,
  shape = modernBertBase,
  tell = () => {},
}: PeerShapeOptions = {}): string {
  const name = `modernbert-${shape.layers}x${shape.hidden}-${edition}`;
  const path = join(folder, `${name}.onnx`);
  const weightsPath = join(folder, `${name}.weights`);
  // The graph is renamed last: where it is, the weights are whole.
  if (existsSync(path) && existsSync(weightsPath)) return path;

  tell(`writing random weights to ${weightsPath}, once`);
  mkdirSync(folder, { recursive: true });
  const graph = new GraphBuilder();
  const weights = new WeightFile(graph, `${weightsPath}.part`, `${name}.weights`);
  try {
    buildGraph(graph, weights, shape);
  } finally {
    weights.close();
  }
  writeFileSync(`${path}.part`, encodeOnnx(graph));
  renameSync(`${weightsPath}.part`, weightsPath);
  renameSync(`${path}.part`, path);
  return path;
}
