export type EvictionPolicy = "fifo" | "lru" | "lfu";

interface Evictable {
  hits: number;
}

/**
 * Who has to go: the oldest (fifo), the one whose last hit is longest ago (lru; storing counts as one), or the one
 * with the fewest hits (lfu; among equals the lru). Every step takes constant time, save lfu's victim.
 */
export class EvictionOrder<T extends Evictable> {
  readonly #policy: EvictionPolicy;
  /** By hits under lfu, else one. A Set keeps the order of arrival, so its first is the first to go. */
  readonly #ranks = new Map<number, Set<T>>();

  constructor(policy: EvictionPolicy) {
    this.#policy = policy;
  }

  add(item: T): void {
    const rank = this.#rank(item);
    const peers = this.#ranks.get(rank);
    if (peers) peers.add(item);
    else this.#ranks.set(rank, new Set([item]));
  }

  remove(item: T): void {
    const rank = this.#rank(item);
    const peers = this.#ranks.get(rank);
    if (peers?.delete(item) && peers.size === 0) this.#ranks.delete(rank);
  }

  /** Counts a hit. */
  hit(item: T): void {
    if (this.#policy === "fifo") {
      item.hits++;
      return;
    }
    this.remove(item);
    item.hits++;
    this.add(item);
  }

  victim(): T | undefined {
    let lowest = Number.POSITIVE_INFINITY;
    for (const rank of this.#ranks.keys()) if (rank < lowest) lowest = rank;
    return this.#ranks.get(lowest)?.values().next().value;
  }

  clear(): void {
    this.#ranks.clear();
  }

  #rank(item: T): number {
    return this.#policy === "lfu" ? item.hits : 0;
  }
}
