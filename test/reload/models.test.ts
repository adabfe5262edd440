import assert from "node:assert/strict";
import { once } from "node:events";
import { after, afterEach, beforeEach, describe, test } from "node:test";
import type { Worker } from "node:worker_threads";
import { parseConfig } from "../../src/config/load.ts";
import { type Generations, startGenerations } from "../../src/generations.ts";
import { EncodeError } from "../../src/models/encode.ts";
import { embeddingModel } from "../support/onnx/own-set.ts";
import { asks, newTrace } from "../support/pipeline.ts";

// What a reload does with what is costly: models in their threads, and the cache.

const own = embeddingModel();
/** Of the same size, and alike in what it makes of texts that have neither word: only its name tells them apart. */
const other = embeddingModel("cat");
after(() => {
  own[Symbol.dispose]();
  other[Symbol.dispose]();
});

const loadedOf = (more: object = {}) => {
  const text = JSON.stringify({
    vllm_endpoints: [{ name: "one", address: "127.0.0.1", port: 8001 }],
    model_config: { m: { preferred_endpoints: ["one"] } },
    default_model: "m",
    categories: [{ name: "math", model_scores: [{ model: "m", score: 1, use_reasoning: false }] }],
    inference: { workers: 1, deadline_ms: 20_000 },
    semantic_cache: { enabled: true },
    ...more,
  });
  const file = "config.yaml";
  return { ...parseConfig(text, { file }), source: { file, text } };
};

const asker = { path: "/v1/chat/completions", tenant: undefined };
const asked = { texts: ["What is 2 + 2?"], focus: 0 };
const wants = { category: true, jailbreak: false, entities: false, embedding: false };
const signal = new AbortController().signal;

let generations: Generations;
let threads = 0;
const count = () => {
  threads += 1;
};
beforeEach(async () => {
  process.on("worker", count);
  generations = await startGenerations(loadedOf(), {}, () => {});
  threads = 0;
});
afterEach(async () => {
  process.off("worker", count);
  await generations.close(100);
});

const answers = async (service: ReturnType<Generations["enter"]>) => {
  const outcome = await service.pipeline!(asks("What is 2 + 2?"), asker, newTrace({ flags: 0 }), { signal });
  if (outcome.kind === "forward") outcome.upstream.end(true);
  return outcome.kind;
};

describe("models and a reload", () => {
  test("unchanged models are not loaded again, whatever else changes, their limits included", async () => {
    const before = generations.encoder!;
    await generations.replace(
      loadedOf({
        inference: { workers: 1, deadline_ms: 1, max_deadline_ms: 1, queue_limit: 1 },
        prompt_guard: { enabled: true },
      }),
    );
    assert.equal(threads, 0);
    const long = { texts: ["The museum opens at nine and closes at five. ".repeat(5_000)], focus: 0 };
    await assert.rejects(
      generations.encoder!.encode(long, wants, signal),
      (error) => error instanceof EncodeError && error.reason === "deadline",
    );
    assert.equal((await before.encode(asked, wants, signal)).category.length, before.labels.length);
  });

  test("other models are loaded, and the old ones end with the last exchange that has them", async () => {
    const old = generations.encoder!;
    const first = generations.enter();
    const second = generations.enter();
    await generations.replace(loadedOf({ inference: { workers: 1, threads: 2 } }));
    assert.equal(threads, 1);
    assert.equal(generations.held, 2);
    const later = generations.enter();
    assert.deepEqual([first.generation, later.generation], [1, 2]);
    generations.leave(first);
    assert.equal(await answers(second), "forward");
    assert.equal(await answers(later), "forward");
    generations.leave(second);
    assert.equal(generations.held, 1);
    await assert.rejects(
      old.encode(asked, wants, signal),
      (error) => error instanceof EncodeError && error.reason === "closed",
    );
    assert.equal(await answers(later), "forward");
    generations.leave(later);
    assert.equal(generations.held, 1, "the one in force stays, with or without exchanges");
    assert.equal(await answers(generations.enter()), "forward");
  });

  test("models that cannot be loaded change nothing", async () => {
    await assert.rejects(
      generations.replace(loadedOf({ inference: { model_path: "/nowhere" } })),
      /\/nowhere/,
    );
    assert.deepEqual([generations.number, generations.held], [1, 1]);
    assert.equal(await answers(generations.enter()), "forward");
  });

  test("a configuration that fails its self-test changes nothing, and what was loaded for it ends", async () => {
    const loaded = loadedOf({ inference: { workers: 1, threads: 2 } });
    const [math] = loaded.config.categories;
    // Nothing that passes the checks fails it, so it is a configuration that did not pass them.
    const broken = {
      ...math!,
      get system_prompt(): string {
        throw new Error("a fault in a stage");
      },
    };
    const ended: Promise<unknown>[] = [];
    const ends = (worker: Worker) => ended.push(once(worker, "exit"));
    process.on("worker", ends);
    await assert.rejects(
      generations.replace({ ...loaded, config: { ...loaded.config, categories: [broken] } }),
      /its self-test failed for the category "math": a fault in a stage/,
    );
    process.off("worker", ends);
    assert.equal(ended.length, 1);
    await Promise.all(ended);
    assert.deepEqual([generations.number, generations.held], [1, 1]);
    assert.equal(await answers(generations.enter()), "forward");
  });

  test("what is switched off and on again is not loaded anew", async () => {
    await generations.replace(loadedOf({ categories: [], semantic_cache: { enabled: false } }));
    await generations.replace(loadedOf());
    assert.equal(threads, 0);
    assert.equal(await answers(generations.enter()), "forward");
  });

  test("the cache stays, unless its size or the model that makes its vectors changes", async () => {
    const stored = async () => {
      const service = generations.enter();
      const outcome = await service.pipeline!(asks("What is 2 + 2?"), asker, newTrace({ flags: 0 }), {
        signal,
      });
      if (outcome.kind === "forward") {
        outcome.upstream.responseHeaders({ status: 200, contentType: "application/json" });
        const message = { role: "assistant", content: "4" };
        const choices = [{ index: 0, message, finish_reason: "stop" }];
        const body = { id: "1", object: "chat.completion", created: 1, model: "m", choices };
        outcome.upstream.chunk(Buffer.from(JSON.stringify(body)), 0);
        outcome.upstream.end(true);
      }
      generations.leave(service);
      return outcome.kind;
    };
    assert.deepEqual([await stored(), await stored()], ["forward", "reply"]);
    await generations.replace(loadedOf({ inference: { workers: 1, threads: 2 } }));
    assert.equal(await stored(), "reply");
    await generations.replace(loadedOf({ bert_model: { model_id: own.path } }));
    assert.deepEqual([await stored(), await stored()], ["forward", "reply"]);
    await generations.replace(loadedOf({ bert_model: { model_id: other.path } }));
    assert.deepEqual([await stored(), await stored()], ["forward", "reply"]);
    await generations.replace(
      loadedOf({ bert_model: { model_id: other.path }, semantic_cache: { enabled: true, max_entries: 5 } }),
    );
    assert.equal(await stored(), "forward");
  });
});
