import type { Vectors } from "./vectors.ts";

/** A completion in memory, and where it stands. */
export interface Stored {
  readonly completion: Uint8Array;
  readonly storedAt: number;
  readonly partition: Partition;
  readonly slot: number;
  /** In the partition. */
  at: number;
  hits: number;
}

export interface Found {
  readonly entry: Stored;
  readonly similarity: number;
}

/** The entries that may be compared with each other; their vectors have one length. */
export class Partition {
  readonly key: string;
  readonly vectors: Vectors;
  readonly #entries: Stored[] = [];
  #slots = new Uint32Array(4);

  constructor(key: string, vectors: Vectors) {
    this.key = key;
    this.vectors = vectors;
  }

  get size(): number {
    return this.#entries.length;
  }

  add(embedding: Float32Array, completion: Uint8Array, storedAt: number, hits: number): Stored {
    const at = this.#entries.length;
    const slot = this.vectors.add(embedding);
    const entry = { completion, storedAt, partition: this, slot, at, hits };
    if (at === this.#slots.length) {
      const grown = new Uint32Array(at * 2);
      grown.set(this.#slots);
      this.#slots = grown;
    }
    this.#slots[at] = slot;
    this.#entries.push(entry);
    return entry;
  }

  /** The last entry takes the place of the one that goes. */
  remove(entry: Stored): void {
    const last = this.#entries.pop();
    if (last && last !== entry) {
      last.at = entry.at;
      this.#entries[entry.at] = last;
      this.#slots[entry.at] = last.slot;
    }
    this.vectors.remove(entry.slot);
  }

  nearest(query: Float32Array): Found | undefined {
    const { at, similarity } = this.vectors.nearest(this.#slots.subarray(0, this.#entries.length), query);
    const entry = this.#entries[at];
    return entry && { entry, similarity };
  }
}
