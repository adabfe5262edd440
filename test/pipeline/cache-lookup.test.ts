import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import type { SemanticCache } from "../../src/cache/cache.ts";
import { memoryCache } from "../../src/cache/memory.ts";
import type { Chat } from "../../src/chat/request.ts";
import { EncodeError } from "../../src/models/encode.ts";
import { type Asker, cacheLookup } from "../../src/pipeline/cache-lookup.ts";
import { asks, chatOf, classifiedAs, configOf, newTrace, onlySpan, passOf } from "../support/pipeline.ts";

const scores = "model_scores: [{ model: m, score: 1, use_reasoning: false }]";
const yaml = `
semantic_cache: { enabled: true, similarity_threshold: 0.9 }
default_model: m
categories:
  - { name: plain, ${scores} }
  - { name: "off", semantic_cache_enabled: false, ${scores} }
  - { name: "on", semantic_cache_enabled: true, ${scores} }
  - { name: loose, semantic_cache_similarity_threshold: 0.5, ${scores} }
  - { name: tight, semantic_cache_similarity_threshold: 0.95, ${scores} }
`;
const config = configOf(yaml);
const stored = Buffer.from(
  JSON.stringify({
    id: "stored",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content: "4" }, finish_reason: "stop" }],
  }),
);
const alice: Asker = { path: "chat", tenant: "alice" };

/** "0.92 alike" has a similarity of 0.92 to every other text, all of which are one to each other. */
const embed = (text: string) => {
  const similarity = Number(/^([\d.]+) alike/.exec(text)?.[1] ?? 1);
  return { embedding: Float32Array.of(similarity, Math.sqrt(1 - similarity ** 2)) };
};

const memory = () => memoryCache({ maxEntries: 10, ttlSeconds: 60, eviction: "fifo" });
function lookups(cache: SemanticCache | undefined = memory(), settings = config) {
  const lookUp = cacheLookup(settings, cache);
  return async (chat: Chat, asker: Asker = alice, category = "plain", encode = embed) => {
    const at = newTrace();
    const classified = classifiedAs(settings.categories.find(({ name }) => name === category));
    const found = await lookUp(chat, asker, classified, passOf(chat, encode), at, new AbortController());
    return { found, at, store: "store" in found ? found.store : undefined };
  };
}

test("a miss carries the pen that makes the next one a hit, as the client wants it", async () => {
  const lookUp = lookups();
  const miss = await lookUp(asks("2 + 2?"));
  assert.equal(miss.found.kind, "miss");
  assert.equal(onlySpan(miss.at).attributes["cache.hit"], false);
  miss.store?.(stored);

  const json = await lookUp(asks("what is 2 + 2"));
  assert.equal(json.found.kind, "hit");
  assert.equal(json.found.contentType, "application/json");
  const { id, choices } = JSON.parse(Buffer.from(json.found.body).toString());
  assert.match(id, /^chatcmpl-[0-9a-f-]{36}$/, "an id of its own");
  assert.equal(choices[0].message.content, "4");
  const sse = await lookUp(asks("2 + 2!", { stream: true }));
  assert.equal(sse.found.kind, "hit");
  assert.equal(sse.found.contentType, "text/event-stream");
  assert.match(Buffer.from(sse.found.body).toString(), /"content":"4".*data: \[DONE\]/s);

  const { "cache.key": key, ...attributes } = onlySpan(json.at).attributes;
  assert.match(String(key), /^[0-9a-f]{32}$/);
  assert.equal(key, onlySpan(miss.at).attributes["cache.key"]);
  assert.deepEqual(attributes, {
    "cache.hit": true,
    "cache.similarity": 1,
    "cache.threshold": 0.9,
    "cache.backend": "memory",
    "category.name": "plain",
  });
});

test("the key is one of this process: a reload keeps it, and the same request has another one elsewhere", async () => {
  const keys = await Promise.all([lookups(), lookups()].map((lookUp) => lookUp(asks("x"))));
  const [one, afterReload] = keys.map(({ at }) => onlySpan(at).attributes["cache.key"]);
  assert.equal(one, afterReload);
  const script = `
    const { cacheLookup } = await import("${new URL("../../src/pipeline/cache-lookup.ts", import.meta.url)}");
    const { memoryCache } = await import("${new URL("../../src/cache/memory.ts", import.meta.url)}");
    const { asks, configOf, newTrace, passOf } = await import("${new URL("../support/pipeline.ts", import.meta.url)}");
    const lookUp = cacheLookup(configOf(${JSON.stringify(yaml)}), memoryCache({ maxEntries: 1, ttlSeconds: 1, eviction: "fifo" }));
    const at = newTrace();
    const chat = asks("x");
    const pass = passOf(chat, () => ({ embedding: Float32Array.of(1, 0) }));
    await lookUp(chat, { path: "chat", tenant: "alice" }, undefined, pass, at, new AbortController());
    const { attributes } = at.children[0];
    console.log(attributes[attributes.indexOf("cache.key") + 1]);`;
  const elsewhere = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  assert.match(elsewhere.stdout, /^[0-9a-f]{16,}\n$/, elsewhere.stderr);
  assert.notEqual(elsewhere.stdout.trim(), one);
});

describe("what must differ for answers not to be shared", () => {
  const text = "2 + 2?";
  const says = (role: string, content: unknown) => ({ role, content });
  const base = { model: "auto", messages: [says("system", "s"), says("user", text)] };
  const apart: readonly [string, object, Asker?][] = [
    ["the tenant", base, { path: "chat", tenant: "bob" }],
    ["no tenant", base, { path: "chat", tenant: undefined }],
    ["the path", base, { path: "other", tenant: "alice" }],
    ["a tenant that looks like path and tenant", base, { path: "chat\n5:alice", tenant: undefined }],
    ["the model asked for", { ...base, model: "m" }],
    ["the system prompt", { ...base, messages: [says("system", "t"), says("user", text)] }],
    ["the history", { ...base, messages: [says("system", "s"), says("assistant", "a"), says("user", text)] }],
    ["the temperature", { ...base, temperature: 0.1 }],
    ["the length", { ...base, max_tokens: 5 }],
    ["the tools", { ...base, tools: [{ type: "function", function: { name: "f" } }] }],
    ["the response format", { ...base, response_format: { type: "json_object" } }],
    ["the number of choices", { ...base, n: 2 }],
    ["a field nobody knows", { ...base, guided_regex: "a+" }],
    [
      "the speaker's name",
      { ...base, messages: [says("system", "s"), { ...says("user", text), name: "x" }] },
    ],
  ];
  for (const [name, body, asker = alice] of apart) {
    test(name, async () => {
      const lookUp = lookups();
      (await lookUp(chatOf(base))).store?.(stored);
      assert.equal((await lookUp(chatOf(base))).found.kind, "hit", "the same is a hit");
      assert.equal((await lookUp(chatOf(body), asker)).found.kind, "miss");
    });
  }

  test("no tenant, and one that is called so", async () => {
    const lookUp = lookups();
    (await lookUp(chatOf(base), { path: "chat", tenant: undefined })).store?.(stored);
    assert.equal((await lookUp(chatOf(base), { path: "chat", tenant: "-" })).found.kind, "miss");
  });

  const shared: readonly [string, object][] = [
    [
      "the words of the last turn",
      { ...base, messages: [says("system", "s"), says("user", "two and two?")] },
    ],
    ["how it is delivered", { ...base, stream: true, stream_options: { include_usage: true } }],
    ["whom the client names as its user", { ...base, user: "u" }],
    ["the order of the fields", { messages: base.messages, model: "auto" }],
  ];
  for (const [name, body] of shared) {
    test(`and what may: ${name}`, async () => {
      const lookUp = lookups();
      (await lookUp(chatOf(base))).store?.(stored);
      assert.equal((await lookUp(chatOf(body))).found.kind, "hit");
    });
  }
});

describe("by category", () => {
  const cacheOff = configOf(yaml.replace("enabled: true", "enabled: false"));
  const cases: readonly [string, string, string, typeof config, "hit" | "miss" | "not run", number][] = [
    ["the global threshold", "plain", "0.92 alike", config, "hit", 0.9],
    ["and below it", "plain", "0.89 alike", config, "miss", 0.9],
    ["a lower one", "loose", "0.55 alike", config, "hit", 0.5],
    ["and below that", "loose", "0.45 alike", config, "miss", 0.5],
    ["a higher one", "tight", "0.92 alike", config, "miss", 0.95],
    ["kept out of the cache", "off", "1 alike", config, "not run", 0],
    ["kept in", "on", "1 alike", config, "hit", 0.9],
    ["no category", "none", "0.92 alike", config, "hit", 0.9],
    ["switched off", "plain", "1 alike", cacheOff, "not run", 0],
    ["switched off, but on for the category", "on", "1 alike", cacheOff, "hit", 0.9],
  ];
  for (const [name, category, text, settings, expected, threshold] of cases) {
    test(name, async () => {
      const lookUp = lookups(memory(), settings);
      (await lookUp(asks("first"), alice, "on")).store?.(stored);
      const { found, at, store } = await lookUp(asks(text), alice, category);
      assert.equal(found.kind, expected === "not run" ? "miss" : expected);
      if (expected !== "not run") return assert.equal(onlySpan(at).attributes["cache.threshold"], threshold);
      assert.equal(at.children.length, 0);
      assert.equal(store, undefined, "nothing is stored either");
    });
  }
});

test("what a text cannot be compared for is neither looked up nor stored", async () => {
  const text = { type: "text", text: "what is this" };
  const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };
  const hi = { role: "user", content: "hi" };
  const call = { id: "1", type: "function", function: { name: "f", arguments: "{}" } };
  for (const messages of [
    [{ role: "user", content: [text, image] }],
    [{ role: "user", content: [text, image] }, { role: "assistant", content: "a cat" }, hi],
    [
      hi,
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: "1", content: "x" },
    ],
    [hi, { role: "assistant", content: "go on" }],
  ]) {
    const { found, at } = await lookups()(chatOf({ model: "auto", messages }));
    assert.deepEqual(found, { kind: "miss" });
    assert.equal(at.children.length, 0);
  }
  assert.deepEqual((await lookups(undefined, configOf(""))(asks("x"))).found, { kind: "miss" });
});

describe("a cache that fails is a miss, for it guards nothing", () => {
  const broken = (more: Partial<SemanticCache>): SemanticCache => ({
    backend: "broken",
    nearest: async () => ({ kind: "miss" }),
    put: async () => {},
    close: async () => {},
    ...more,
  });
  const boom = async () => {
    throw new RangeError("secret detail");
  };
  const notStored = Buffer.from('{"object":"list"}');
  const hit = async () => ({
    kind: "hit" as const,
    entry: { completion: notStored, storedAt: 0 },
    similarity: 1,
  });
  const cases: readonly [string, SemanticCache, string, typeof embed?][] = [
    ["the store", broken({ nearest: boom }), "RangeError"],
    ["an entry that is no completion", broken({ nearest: hit }), "Error"],
    [
      "the encoder",
      broken({}),
      "deadline",
      () => {
        throw new EncodeError("deadline", "late");
      },
    ],
  ];
  for (const [name, cache, cause, encode] of cases) {
    test(name, async () => {
      const { found, at } = await lookups(cache)(asks("x"), alice, "plain", encode);
      assert.deepEqual(found, { kind: "miss" });
      const { span, attributes } = onlySpan(at);
      assert.equal(attributes["cache.error"], cause);
      assert.equal(attributes["cache.hit"], false);
      assert.equal(span.error, cause);
    });
  }

  test("a store that cannot keep it harms nobody", async () => {
    const { store } = await lookups(broken({ put: boom }))(asks("x"));
    assert.ok(store);
    store(stored);
    await new Promise(setImmediate);
  });

  test("a client that has gone is no miss", async () => {
    const gone = new DOMException("gone", "AbortError");
    const at = newTrace();
    const chat = asks("x");
    const lookUp = cacheLookup(config, memory());
    const lost = lookUp(chat, alice, undefined, passOf(chat, embed), at, { signal: AbortSignal.abort(gone) });
    await assert.rejects(lost, gone);
    assert.equal(onlySpan(at).span.error, "aborted");
  });
});
