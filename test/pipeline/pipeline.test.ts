import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryCache } from "../../src/cache/memory.ts";
import { EncodeError, type Encoder, type Wants } from "../../src/models/encode.ts";
import { endpointHealth } from "../../src/pipeline/endpoint-health.ts";
import { buildPipeline } from "../../src/pipeline.ts";
import { buildService } from "../../src/router.ts";
import { fakeEncoder } from "../support/fake-encoder.ts";
import { asks, chatOf, configOf, newTrace } from "../support/pipeline.ts";
import { startWith } from "../support/tracing.ts";

const yaml = `
vllm_endpoints: [{ name: one, address: 127.0.0.1, port: 8001 }]
model_config:
  strict: { preferred_endpoints: [one], loras: [{ name: strict-lora }] }
  open: { preferred_endpoints: [one], pii_policy: { allow_by_default: true } }
default_model: strict-lora
categories:
  - name: math
    model_scores: [{ model: strict, lora_name: strict-lora, score: 1, use_reasoning: true }]
classifier: { pii_model: { on_error: allow }, category_model: { on_error: allow } }
prompt_guard: { enabled: true, on_error: allow }
semantic_cache: { enabled: true }
`;

async function route(text: string, settings = yaml, encoder: Encoder = fakeEncoder(), model = "auto") {
  const config = configOf(settings);
  const cache = config.semantic_cache.enabled
    ? memoryCache({ maxEntries: 9, ttlSeconds: 9, eviction: "fifo" })
    : undefined;
  const at = newTrace();
  const pipeline = buildPipeline(config, { encoder, cache, health: endpointHealth() });
  const chat = chatOf({ model, messages: [{ role: "user", content: text }] });
  const asker = { path: "chat", tenant: undefined };
  const outcome = await pipeline(chat, asker, at, new AbortController());
  const stages = at.children.map(({ name }) => name.replace("semantic_router.", ""));
  return { outcome, at, stages };
}

test("an adapter that hides a strict model never sees personal data", async () => {
  const settings = yaml.replace("default_model: strict-lora", "");
  const cases: readonly [string, string, string][] = [
    ["as the default model", yaml, "auto"],
    ["as a category's model", settings, "auto"],
    ["by its own name", yaml, "strict-lora"],
  ];
  for (const [name, config, model] of cases) {
    const { outcome } = await route("a number for a@b", config, fakeEncoder(), model);
    assert.equal(outcome.kind, "refuse", name);
    assert.deepEqual(outcome.refusal.kind, "pii", name);
  }
});

test("what is passed through goes to the endpoint of an adapter's base model too", async () => {
  const config = configOf(yaml);
  const service = buildService(
    config,
    { encoder: fakeEncoder(), cache: undefined, health: endpointHealth() },
    startWith().tracing,
    1,
  );
  const cases = [
    ["other", undefined],
    ["embeddings", "strict-lora"],
    ["embeddings", "unheard-of"],
  ] as const;
  for (const [kind, model] of cases) {
    const { backend, upstream } = await service.passThrough(kind, model, newTrace());
    upstream.end(true);
    assert.equal(backend?.name, "one", `${kind} ${model}`);
  }
});

test("with everything allowed a dead encoder still gets the request to the default model", async () => {
  const { outcome, at } = await route("BROKEN number");
  assert.equal(outcome.kind, "forward");
  assert.equal(outcome.selection?.model, "strict-lora");
  const failed = at.children
    .filter(({ error }) => error)
    .map(({ name, error }) => `${name.slice(16)}: ${error}`);
  assert.deepEqual(failed, [
    "classification: worker_died, allowed by on_error",
    "security.pii_detection: worker_died, allowed by on_error",
    "security.jailbreak_detection: worker_died, allowed by on_error",
    "cache.lookup: worker_died",
  ]);
});

test("a cache alone cannot hold up a request, nor store what was never looked up", async () => {
  const only = yaml.replace(/classifier:.*\nprompt_guard:.*\n/, "");
  const full: Encoder = {
    ...fakeEncoder(),
    encode: async () => {
      throw new EncodeError("overloaded", "full");
    },
  };
  const { outcome, stages } = await route("x", only, full, "open");
  assert.equal(outcome.kind, "forward");
  assert.deepEqual(stages, ["cache.lookup", "routing.decision", "backend.selection", "upstream.request"]);
});

describe("early exits", () => {
  const cases: readonly [string, string, string, string[]][] = [
    ["an attack", "ATTACK", "jailbreak", []],
    ["personal data", "a@b", "pii", []],
    ["both: the attack is told", "ATTACK a@b", "jailbreak", []],
    ["no model", "hello", "no_model", ["cache.lookup", "routing.decision"]],
  ];
  const guards = ["classification", "security.pii_detection", "security.jailbreak_detection"];
  for (const [name, text, kind, further] of cases) {
    test(name, async () => {
      const settings = kind === "no_model" ? yaml.replace("default_model: strict-lora", "") : yaml;
      const { outcome, stages } = await route(text, settings);
      assert.equal(outcome.kind, "refuse");
      assert.equal(outcome.refusal.kind, kind);
      assert.deepEqual(stages, [...guards, ...further]);
    });
  }

  test("an unknown name is refused before anything runs", async () => {
    const { outcome, stages } = await route("x", yaml, fakeEncoder(), "gpt-9");
    assert.deepEqual(outcome, { kind: "refuse", refusal: { kind: "unknown_model", model: "gpt-9" } });
    assert.deepEqual(stages, []);
  });
});

test("personal data that was allowed is neither looked up nor stored", async () => {
  const { outcome, stages } = await route("mail a@b", yaml, fakeEncoder(), "open");
  assert.equal(outcome.kind, "forward");
  assert.equal(stages.includes("cache.lookup"), false);
});

describe("the encoder computes what somebody needs, over what must be seen", () => {
  const bare = yaml.replace(/classifier:[\s\S]*/, "");
  const guarded = `${bare}prompt_guard: { enabled: true }\n`;
  const cases: readonly [string, string, string, Partial<Wants>, number][] = [
    ["auto, nothing else", bare, "auto", { category: true }, 1],
    ["a guard sees every message", guarded, "auto", { category: true, jailbreak: true }, 3],
    ["a specified model is not classified", guarded, "open", { jailbreak: true }, 3],
    [
      "a cache needs the last turn only",
      `${bare}semantic_cache: { enabled: true }`,
      "open",
      { embedding: true },
      1,
    ],
    [
      "personal data, surroundings included",
      `${bare}classifier: { pii_model: {} }`,
      "open",
      { entities: true },
      3,
    ],
  ];
  for (const [name, settings, model, wanted, texts] of cases) {
    test(name, async () => {
      const seen: { wants: Wants; texts: number }[] = [];
      const { encode, ...rest } = fakeEncoder();
      const encoder: Encoder = {
        ...rest,
        encode: (given, wants, signal) => {
          seen.push({ wants, texts: given.texts.length });
          return encode(given, wants, signal);
        },
      };
      const config = configOf(settings);
      const cache = config.semantic_cache.enabled
        ? memoryCache({ maxEntries: 9, ttlSeconds: 9, eviction: "fifo" })
        : undefined;
      const chat = asks("a number", {
        model,
        messages: [
          { role: "system", content: "be brief" },
          { role: "user", content: "a number" },
        ],
        documents: [{ text: "to be read as well" }],
      });
      const pipeline = buildPipeline(config, { encoder, cache, health: endpointHealth() });
      await pipeline(chat, { path: "chat", tenant: undefined }, newTrace(), new AbortController());
      const none = { category: false, jailbreak: false, entities: false, embedding: false };
      assert.deepEqual(seen, [{ wants: { ...none, ...wanted }, texts }]);
    });
  }

  test("nothing at all where nothing is needed", async () => {
    const encoder = fakeEncoder();
    await route("x", bare, encoder, "open");
    assert.deepEqual(encoder.calls, []);
  });
});
