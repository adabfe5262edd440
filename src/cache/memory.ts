import type { Nearest, SemanticCache } from "./cache.ts";
import { EvictionOrder, type EvictionPolicy } from "./eviction.ts";
import { type Found, Partition, type Stored } from "./partition.ts";
import { Vectors } from "./vectors.ts";

export interface MemoryCacheOptions {
  /** Over all partitions. 0: the default of 10 000. */
  readonly maxEntries: number;
  /** From storing, whether hit or not. 0: never expires. */
  readonly ttlSeconds: number;
  readonly eviction: EvictionPolicy;
  /** Of all completions together; a larger one is not stored at all. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
}

const DEFAULT_ENTRIES = 10_000;
const DEFAULT_BYTES = 64 * 1024 * 1024;
/** Above it two vectors are of the same text. */
const SAME = 0.99999;
/** Equal unit vectors may come out a little below 1. */
const ROUNDING = 1e-6;

/**
 * A store in this process: exact search, nothing outlives it. Vectors have unit length; a lookup with a vector of
 * another length than the stored ones is a miss.
 */
export function memoryCache(options: MemoryCacheOptions): SemanticCache {
  return new MemoryCache(options);
}

class MemoryCache implements SemanticCache {
  readonly backend = "memory";
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #ttlMs: number;
  readonly #now: () => number;
  readonly #order: EvictionOrder<Stored>;
  /** By length: they differ only where two models share the cache. */
  readonly #vectors = new Map<number, Vectors>();
  readonly #partitions = new Map<string, Partition>();
  /** All entries, the oldest first. */
  readonly #entries = new Set<Stored>();
  #bytes = 0;
  #closed = false;

  constructor(options: MemoryCacheOptions) {
    this.#maxEntries = options.maxEntries > 0 ? options.maxEntries : DEFAULT_ENTRIES;
    this.#maxBytes = options.maxBytes ?? DEFAULT_BYTES;
    this.#ttlMs = options.ttlSeconds > 0 ? options.ttlSeconds * 1000 : Number.POSITIVE_INFINITY;
    this.#now = options.now ?? Date.now;
    this.#order = new EvictionOrder(options.eviction);
  }

  async nearest(
    partition: string,
    embedding: Float32Array,
    threshold: number,
    signal: AbortSignal,
  ): Promise<Nearest> {
    signal.throwIfAborted();
    this.#expire();
    const found = this.#find(keyOf(partition, embedding), embedding);
    if (!found) return { kind: "miss" };
    const similarity = Math.min(1, found.similarity);
    if (!(similarity + ROUNDING >= threshold)) return { kind: "miss", similarity };
    this.#order.hit(found.entry);
    const { completion, storedAt } = found.entry;
    return { kind: "hit", entry: { completion, storedAt }, similarity };
  }

  async put(partition: string, embedding: Float32Array, completion: Uint8Array): Promise<void> {
    if (this.#closed || embedding.length === 0 || completion.length > this.#maxBytes) return;
    this.#expire();
    const key = keyOf(partition, embedding);
    const nearest = this.#find(key, embedding);
    const same = nearest && nearest.similarity > SAME ? nearest.entry : undefined;
    if (same) this.#remove(same);
    while (this.#entries.size >= this.#maxEntries || this.#bytes + completion.length > this.#maxBytes) {
      const victim = this.#order.victim();
      if (!victim) break;
      this.#remove(victim);
    }
    // A question asked again keeps its popularity. The bytes are copied: they may be a view of something larger.
    const home = this.#partition(key, embedding.length);
    const entry = home.add(embedding, completion.slice(), this.#now(), same?.hits ?? 0);
    this.#entries.add(entry);
    this.#order.add(entry);
    this.#bytes += completion.length;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#partitions.clear();
    this.#vectors.clear();
    this.#entries.clear();
    this.#order.clear();
    this.#bytes = 0;
  }

  #partition(key: string, dims: number): Partition {
    let partition = this.#partitions.get(key);
    if (!partition) {
      let vectors = this.#vectors.get(dims);
      if (!vectors) {
        vectors = new Vectors(dims);
        this.#vectors.set(dims, vectors);
      }
      partition = new Partition(key, vectors);
      this.#partitions.set(key, partition);
    }
    return partition;
  }

  /** The sweep can miss one where the clock was set back, so what is found is looked at again. */
  #find(key: string, embedding: Float32Array): Found | undefined {
    const now = this.#now();
    for (;;) {
      const found = this.#partitions.get(key)?.nearest(embedding);
      if (!found || !this.#expired(found.entry, now)) return found;
      this.#remove(found.entry);
    }
  }

  #expire(): void {
    const now = this.#now();
    for (const entry of this.#entries) {
      if (!this.#expired(entry, now)) return;
      this.#remove(entry);
    }
  }

  /** One from the future is expired too: nobody knows its age. */
  #expired(entry: Stored, now: number): boolean {
    const age = now - entry.storedAt;
    return this.#ttlMs !== Number.POSITIVE_INFINITY && (age < 0 || age >= this.#ttlMs);
  }

  #remove(entry: Stored): void {
    const { partition } = entry;
    partition.remove(entry);
    if (partition.size === 0) this.#partitions.delete(partition.key);
    this.#entries.delete(entry);
    this.#order.remove(entry);
    this.#bytes -= entry.completion.length;
  }
}

/** Vectors of another length can never meet. */
function keyOf(partition: string, embedding: Float32Array): string {
  return `${embedding.length}:${partition}`;
}
