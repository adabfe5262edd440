import { closeSync, openSync, writeSync } from "node:fs";
import type { GraphBuilder } from "../../scripts/lib/onnx.ts";

/** As the published model was initialised. */
const deviation = 0.02;
const seed = 0x5eed1e55;
const pieceFloats = 1 << 20;

/**
 * A file of weights beside an ONNX graph: one protobuf message cannot hold 600 MB. The weights are random and always the
 * same: they depend on the seed and on the order of the calls only.
 */
export class WeightFile {
  readonly #graph: GraphBuilder;
  readonly #name: string;
  readonly #file: number;
  #state = seed;
  #size = 0;

  /** `path`: where to write; `name`: what the graph is to call that file, relative to its own. */
  constructor(graph: GraphBuilder, path: string, name: string) {
    this.#graph = graph;
    this.#name = name;
    this.#file = openSync(path, "w");
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** Evenly spread around 0. */
  random(name: string, ...dims: number[]): string {
    const width = deviation * Math.sqrt(12);
    return this.#add(name, dims, () => (this.#next() - 0.5) * width);
  }

  /** The same number everywhere. */
  constant(name: string, value: number, ...dims: number[]): string {
    return this.#add(name, dims, () => value);
  }

  /** A table whose entry at a place, counted row by row, is known. */
  table(name: string, at: (place: number) => number, ...dims: number[]): string {
    return this.#add(name, dims, at);
  }

  close(): void {
    closeSync(this.#file);
  }

  #add(name: string, dims: readonly number[], at: (place: number) => number): string {
    const count = dims.reduce((a, b) => a * b, 1);
    const offset = this.#size;
    const piece = new Float32Array(Math.min(count, pieceFloats));
    for (let from = 0; from < count; from += piece.length) {
      const length = Math.min(piece.length, count - from);
      for (let i = 0; i < length; i += 1) piece[i] = at(from + i);
      const bytes = new Uint8Array(piece.buffer, 0, length * piece.BYTES_PER_ELEMENT);
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(this.#file, bytes, written);
      }
      this.#size += bytes.length;
    }
    const data = { file: this.#name, offset, length: this.#size - offset };
    return this.#graph.weight("float32", dims, data, name);
  }

  /** Xorshift of 32 bits. 0 to 1. */
  #next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) / 2 ** 32;
  }
}
