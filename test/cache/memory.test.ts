import assert from "node:assert/strict";
import { test } from "node:test";
import { type MemoryCacheOptions, memoryCache } from "../../src/cache/memory.ts";
import { Vectors } from "../../src/cache/vectors.ts";
import { at, cases, evictionCases, type MakeStore, textOf } from "./cases.ts";

const live = new AbortController().signal;

function make(options: MemoryCacheOptions) {
  let now = 1_700_000_000_000;
  const cache = memoryCache({ ...options, now: () => now });
  const advance = (ms: number) => {
    now += ms;
  };
  return { cache, advance };
}

const makeStore: MakeStore = async (limits) => make(limits);

for (const { name, run } of [...cases, ...evictionCases]) test(name, () => run(makeStore));

const OPTIONS = { maxEntries: 0, ttlSeconds: 0, eviction: "fifo" } as const;

test("completions share the bytes; one that is larger than all is not stored", async () => {
  const { cache } = make({ ...OPTIONS, maxBytes: 10 });
  await cache.put("p", at(0, 0), new Uint8Array(6));
  await cache.put("p", at(0, 1), new Uint8Array(11));
  assert.equal((await cache.nearest("p", at(0, 0), 0.9, live)).kind, "hit");
  await cache.put("p", at(0, 2), new Uint8Array(5));
  assert.equal((await cache.nearest("p", at(0, 0), 0.9, live)).kind, "miss");
  assert.equal((await cache.nearest("p", at(0, 2), 0.9, live)).kind, "hit");
  await cache.put("p", at(0, 2), new Uint8Array(10));
  assert.equal((await cache.nearest("p", at(0, 2), 0.9, live)).kind, "hit");
});

test("entries are bounded by 10 000 where nothing is said", async () => {
  const { cache } = make(OPTIONS);
  for (let i = 0; i <= 10_000; i++) await cache.put(`${i}`, at(0), new Uint8Array(1));
  assert.equal((await cache.nearest("0", at(0), 0.9, live)).kind, "miss");
  assert.equal((await cache.nearest("1", at(0), 0.9, live)).kind, "hit");
});

test("a clock that was set back keeps nothing alive", async () => {
  const { cache, advance } = make({ ...OPTIONS, ttlSeconds: 10 });
  await cache.put("p", at(0, 0), new Uint8Array(1));
  advance(-9000);
  await cache.put("p", at(0, 1), new Uint8Array(1));
  advance(10_500);
  assert.equal((await cache.nearest("p", at(0, 1), 0.9, live)).kind, "miss");
});

test("a closed store is empty and stays so", async () => {
  const { cache } = make(OPTIONS);
  await cache.put("p", at(0), new Uint8Array(1));
  await cache.close();
  await cache.put("p", at(0), new Uint8Array(1));
  assert.deepEqual(await cache.nearest("p", at(0), 0.9, live), { kind: "miss" });
});

test("a thousand changes leave the right entries, whatever the policy", async () => {
  for (const eviction of ["fifo", "lru", "lfu"] as const) {
    const { cache, advance } = make({ maxEntries: 20, ttlSeconds: 60, eviction });
    for (let i = 0; i < 1000; i++) {
      const [partition, plane] = [`${i % 3}`, i % 8];
      await cache.put(partition, at((i * 37) % 90, plane), new TextEncoder().encode(`${i}`));
      assert.equal(textOf(await cache.nearest(partition, at((i * 37) % 90, plane), 0.9999, live)), `${i}`);
      advance((i * 7919) % 5000);
    }
  }
});

test("the kernel finds what a plain loop finds, at every length", () => {
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647 - 0.5;
  };
  for (const dims of [1, 3, 15, 16, 17, 64, 100, 384]) {
    const vectors = new Vectors(dims);
    const rows = Array.from({ length: 2500 }, () => Float32Array.from({ length: dims }, random));
    const slots = Uint32Array.from(rows, (row) => vectors.add(row)).reverse();
    const query = Float32Array.from({ length: dims }, random);
    const dots = rows.map((row) => row.reduce((sum, x, i) => sum + x * (query[i] ?? 0), 0)).reverse();
    const { at: best, similarity } = vectors.nearest(slots, query);
    assert.ok(Math.abs(similarity - Math.max(...dots)) < 1e-4, `${dims} dims`);
    assert.ok(Math.abs((dots[best] ?? 0) - similarity) < 1e-4, `${dims} dims`);
    assert.equal(vectors.nearest(slots.subarray(0, 0), query).at, -1);
  }
});
