import { kernel, type Memory, RESERVED_BYTES, ROW_ALIGNMENT, type Scan } from "./kernel.ts";

const PAGE = 65_536;
/** Slots scanned per call of the kernel. */
const BLOCK = 1024;

/**
 * Vectors of one length in numbered slots, compared exactly by dot product. Memory grows with the most ever held at
 * once and is kept for reuse.
 */
export class Vectors {
  readonly #dims: number;
  /** Bytes from one row to the next. */
  readonly #stride: number;
  readonly #memory: Memory;
  readonly #scan: Scan;
  readonly #slots = RESERVED_BYTES;
  readonly #query = RESERVED_BYTES + BLOCK * 4;
  readonly #rows: number;
  readonly #free: number[] = [];
  #used = 0;

  /** `dims`: 1 or more. */
  constructor(dims: number) {
    const { memory, scan } = kernel();
    this.#memory = memory;
    this.#scan = scan;
    this.#dims = dims;
    this.#stride = Math.ceil((dims * 4) / ROW_ALIGNMENT) * ROW_ALIGNMENT;
    this.#rows = this.#query + this.#stride;
    this.#reach(this.#rows);
  }

  /** Copies a vector of `dims` numbers and returns its slot. */
  add(vector: Float32Array): number {
    const slot = this.#free.pop() ?? this.#used++;
    const row = this.#rows + slot * this.#stride;
    this.#reach(row + this.#stride);
    this.#write(row, vector);
    return slot;
  }

  /** Gives a slot back for another vector. */
  remove(slot: number): void {
    this.#free.push(slot);
  }

  /** The position in `slots` of the vector nearest to the query; -1 where there is none that compares. */
  nearest(slots: Uint32Array, query: Float32Array): { readonly at: number; readonly similarity: number } {
    this.#write(this.#query, query);
    const block = new Uint32Array(this.#memory.buffer, this.#slots, BLOCK);
    const score = new Float32Array(this.#memory.buffer, 0, 1);
    let at = -1;
    let similarity = Number.NEGATIVE_INFINITY;
    for (let from = 0; from < slots.length; from += BLOCK) {
      const part = slots.subarray(from, from + BLOCK);
      block.set(part);
      const best = this.#scan(this.#query, this.#rows, this.#slots, part.length, this.#stride);
      const top = score[0] ?? similarity;
      if (best === -1 || top <= similarity) continue;
      at = from + best;
      similarity = top;
    }
    return { at, similarity };
  }

  #write(address: number, vector: Float32Array): void {
    new Float32Array(this.#memory.buffer, address, this.#dims).set(vector);
  }

  /** Grows by half as much again, as every growth may copy. */
  #reach(bytes: number): void {
    const pages = this.#memory.buffer.byteLength / PAGE;
    const needed = Math.ceil(bytes / PAGE);
    if (needed > pages) this.#memory.grow(Math.max(needed - pages, pages >> 1));
  }
}
