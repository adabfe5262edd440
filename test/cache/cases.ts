import assert from "node:assert/strict";
import type { Nearest, SemanticCache } from "../../src/cache/cache.ts";

/** A fresh, empty store and the hands on its clock. */
export interface Subject {
  readonly cache: SemanticCache;
  advance(ms: number): Promise<void> | void;
}

export interface Limits {
  /** 0: as the store likes. */
  readonly maxEntries: number;
  /** 0: never. */
  readonly ttlSeconds: number;
  readonly eviction: "fifo" | "lru" | "lfu";
}

export type MakeStore = (limits: Limits) => Promise<Subject>;

/** One behaviour every store has. */
export interface Case {
  readonly name: string;
  run(make: MakeStore): Promise<void>;
}

const LIMITS: Limits = { maxEntries: 0, ttlSeconds: 0, eviction: "fifo" };
const live = new AbortController().signal;
const utf8 = new TextEncoder();

/** The unit vector at an angle, in a plane of its own for every `plane`. */
export function at(degrees: number, plane = 0, dims = 16): Float32Array {
  const vector = new Float32Array(dims);
  vector[plane * 2] = Math.cos((degrees * Math.PI) / 180);
  vector[plane * 2 + 1] = Math.sin((degrees * Math.PI) / 180);
  return vector;
}

const put = (cache: SemanticCache, partition: string, vector: Float32Array, text: string) =>
  cache.put(partition, vector, utf8.encode(text));

const look = (cache: SemanticCache, partition: string, vector: Float32Array, threshold = 0.9) =>
  cache.nearest(partition, vector, threshold, live);

export function textOf(found: Nearest): string | undefined {
  return found.kind === "hit" ? new TextDecoder().decode(found.entry.completion) : undefined;
}

/** Which of the entries `0, 1, …` (each in its plane) are still there. */
async function present(cache: SemanticCache, count: number): Promise<readonly number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i++) if (textOf(await look(cache, "p", at(0, i))) === `${i}`) found.push(i);
  return found;
}

async function evicts(
  make: MakeStore,
  eviction: Limits["eviction"],
  hits: readonly number[],
): Promise<readonly number[]> {
  const { cache, advance } = await make({ ...LIMITS, maxEntries: 3, eviction });
  for (const i of [0, 1, 2]) {
    await put(cache, "p", at(0, i), `${i}`);
    await advance(10);
  }
  for (const i of hits) {
    await look(cache, "p", at(0, i));
    await advance(10);
  }
  await put(cache, "p", at(0, 3), "3");
  return present(cache, 4);
}

export const cases: readonly Case[] = [
  {
    name: "an empty store misses without a similarity",
    async run(make) {
      const { cache } = await make(LIMITS);
      assert.deepEqual(await look(cache, "p", at(0)), { kind: "miss" });
    },
  },
  {
    name: "the nearest is found, with its bytes, its time and its similarity",
    async run(make) {
      const { cache } = await make(LIMITS);
      await put(cache, "p", at(0), "zero");
      await put(cache, "p", at(40), "forty");
      const found = await look(cache, "p", at(25));
      assert.equal(textOf(found), "forty");
      assert.ok(found.kind === "hit" && found.entry.storedAt > 0);
      assert.ok(Math.abs(found.similarity - Math.cos(Math.PI / 12)) < 1e-4);
    },
  },
  {
    name: "below the threshold it misses and says how near it was",
    async run(make) {
      const { cache } = await make(LIMITS);
      await put(cache, "p", at(0), "zero");
      const found = await look(cache, "p", at(60), 0.6);
      assert.ok(found.kind === "miss" && Math.abs((found.similarity ?? 0) - 0.5) < 1e-4);
      assert.equal(textOf(await look(cache, "p", at(60), 0.49)), "zero");
    },
  },
  {
    name: "an equal vector reaches the threshold 1",
    async run(make) {
      const { cache } = await make(LIMITS);
      for (let degrees = 0; degrees < 90; degrees += 7) {
        await put(cache, `${degrees}`, at(degrees), "same");
        assert.equal(textOf(await look(cache, `${degrees}`, at(degrees), 1)), "same");
      }
    },
  },
  {
    name: "partitions do not see each other",
    async run(make) {
      const { cache } = await make(LIMITS);
      await put(cache, "a", at(0), "a");
      await put(cache, "b", at(20), "b");
      assert.equal(textOf(await look(cache, "a", at(20), 0.5)), "a");
      assert.equal(textOf(await look(cache, "b", at(0), 0.5)), "b");
      assert.deepEqual(await look(cache, "c", at(0)), { kind: "miss" });
    },
  },
  {
    name: "an equal vector replaces what was there",
    async run(make) {
      const { cache } = await make({ ...LIMITS, maxEntries: 2 });
      await put(cache, "p", at(0, 0), "0");
      await put(cache, "p", at(0, 1), "old");
      await put(cache, "p", at(0, 1), "1");
      assert.deepEqual(await present(cache, 2), [0, 1]);
    },
  },
  {
    name: "a vector of another length misses, and may be stored beside",
    async run(make) {
      const { cache } = await make(LIMITS);
      await put(cache, "p", at(0), "16");
      assert.equal((await look(cache, "p", at(0, 0, 24))).kind, "miss");
      await put(cache, "p", at(0, 0, 24), "24");
      assert.equal(textOf(await look(cache, "p", at(0, 0, 24))), "24");
      assert.equal(textOf(await look(cache, "p", at(0))), "16");
    },
  },
  {
    name: "what is not a direction neither hits nor harms",
    async run(make) {
      const { cache } = await make(LIMITS);
      await put(cache, "p", new Float32Array(16).fill(Number.NaN), "nan");
      await put(cache, "p", new Float32Array(0), "empty");
      await put(cache, "p", at(0), "zero");
      assert.equal((await look(cache, "p", new Float32Array(16).fill(Number.NaN), 0)).kind, "miss");
      assert.equal((await look(cache, "p", new Float32Array(0), 0)).kind, "miss");
      assert.equal(textOf(await look(cache, "p", at(0))), "zero");
    },
  },
  {
    name: "the bytes and the vector belong to the store once stored",
    async run(make) {
      const { cache } = await make(LIMITS);
      const bytes = utf8.encode("text");
      const vector = at(0);
      await cache.put("p", vector, bytes);
      bytes.fill(0);
      vector.fill(0);
      assert.equal(textOf(await look(cache, "p", at(0))), "text");
    },
  },
  {
    name: "the time to live counts from storing, whether hit or not",
    async run(make) {
      const { cache, advance } = await make({ ...LIMITS, ttlSeconds: 10 });
      await put(cache, "p", at(0), "zero");
      await advance(6000);
      assert.equal(textOf(await look(cache, "p", at(0))), "zero");
      await advance(6000);
      assert.deepEqual(await look(cache, "p", at(0)), { kind: "miss" });
    },
  },
  {
    name: "an expired entry does not stand before a live one",
    async run(make) {
      const { cache, advance } = await make({ ...LIMITS, ttlSeconds: 10 });
      await put(cache, "p", at(0), "old");
      await advance(6000);
      await put(cache, "p", at(20), "young");
      await advance(6000);
      assert.equal(textOf(await look(cache, "p", at(0))), "young");
    },
  },
  {
    name: "storing again starts the time to live anew",
    async run(make) {
      const { cache, advance } = await make({ ...LIMITS, ttlSeconds: 10 });
      await put(cache, "p", at(0), "old");
      await advance(6000);
      await put(cache, "p", at(0), "new");
      await advance(6000);
      assert.equal(textOf(await look(cache, "p", at(0))), "new");
    },
  },
  {
    name: "an aborted lookup rejects with the reason",
    async run(make) {
      const { cache } = await make(LIMITS);
      const reason = new Error("enough");
      await assert.rejects(cache.nearest("p", at(0), 0.9, AbortSignal.abort(reason)), reason);
    },
  },
];

/** For stores that evict by themselves. */
export const evictionCases: readonly Case[] = [
  {
    name: "fifo lets the oldest go, whatever was hit",
    run: async (make) => assert.deepEqual(await evicts(make, "fifo", [0, 0, 1]), [1, 2, 3]),
  },
  {
    name: "lru lets go what was hit longest ago",
    run: async (make) => assert.deepEqual(await evicts(make, "lru", [0, 2]), [0, 2, 3]),
  },
  {
    name: "lfu lets go what was hit least",
    run: async (make) => assert.deepEqual(await evicts(make, "lfu", [0, 0, 1, 2, 2]), [0, 2, 3]),
  },
  {
    name: "lfu lets the longest unused of equals go",
    run: async (make) => assert.deepEqual(await evicts(make, "lfu", [2, 0, 1]), [0, 1, 3]),
  },
  {
    name: "the limit holds over all partitions",
    async run(make) {
      const { cache } = await make({ ...LIMITS, maxEntries: 2 });
      for (const partition of ["a", "b", "c"]) await put(cache, partition, at(0), partition);
      const found = await Promise.all(["a", "b", "c"].map((partition) => look(cache, partition, at(0))));
      assert.deepEqual(found.map(textOf), [undefined, "b", "c"]);
    },
  },
];
