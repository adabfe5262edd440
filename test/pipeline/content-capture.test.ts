import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Outcome } from "../../src/outcome.ts";
import { contentCapture } from "../../src/pipeline/content-capture.ts";
import { endpointHealth } from "../../src/pipeline/endpoint-health.ts";
import { sharedPass } from "../../src/pipeline/shared-pass.ts";
import { buildPipeline } from "../../src/pipeline.ts";
import { mostChars } from "../../src/telemetry/content.ts";
import { fakeEncoder } from "../support/fake-encoder.ts";
import { asks, attributesOf, configOf, newTrace } from "../support/pipeline.ts";

const config = configOf(`
model_config: { m: { pii_policy: { allow_by_default: true } } }
classifier: { pii_model: {} }
`);

interface Kind {
  readonly sampled?: boolean;
  /** Where it fails. */
  readonly fails?: "to load" | "to record";
  readonly more?: object;
  readonly gatherChars?: number;
}

/** What the recorder is asked to redact and to record, and when, for an exchange of this kind. */
async function record(text: string, { sampled = true, fails, more = {}, gatherChars = 10 }: Kind = {}) {
  const known: unknown[] = [];
  const prompts: { role: string; text: string; message: string }[] = [];
  const asked: string[] = [];
  const pipeline = buildPipeline(
    config,
    { encoder: fakeEncoder(), cache: undefined, health: endpointHealth() },
    async (found) => {
      if (fails === "to load") throw new Error("no recogniser");
      known.push(...found);
      return {
        gatherChars,
        prompt: (texts) => {
          asked.push("prompt");
          if (fails) throw new Error("too much");
          prompts.push(...texts);
          return [
            ["gen_ai.input.messages", "said"],
            ["content.truncated", true],
          ];
        },
        answer: (choices) => {
          asked.push("answer");
          if (fails) throw new Error("too much");
          return choices.map(({ text }) => ["gen_ai.output.messages", text]);
        },
      };
    },
  );
  const at = newTrace({ flags: sampled ? 1 : 0 });
  const chat = asks(text, { model: "m", tools: [{ name: "mail Q@Z" }], ...more });
  const outcome = await pipeline(chat, { path: "chat", tenant: "" }, at, new AbortController());
  assert.equal(outcome.kind, "forward");
  const { upstream } = outcome as Outcome & { kind: "forward" };
  upstream.responseHeaders({ status: 200, contentType: "application/json" });
  upstream.chunk(Buffer.from('{"choices":[{"message":{"content":"answered"}}]}'), 1);
  upstream.end(true);
  const before = [...asked];
  upstream.close({});
  upstream.close({});
  const span = at.children.find(({ kind }) => kind === "client")!;
  const attributes = Object.entries(attributesOf(span)).filter(([key]) => /messages|content/.test(key));
  return { known, prompts, before, asked, content: Object.fromEntries(attributes) };
}

describe("content", () => {
  test("what was found anywhere in the request is known to the recorder", async () => {
    const { known, prompts, content } = await record("mail A@B");
    assert.deepEqual(known, [
      { type: "EMAIL_ADDRESS", value: "Q@Z" },
      { type: "EMAIL_ADDRESS", value: "A@B" },
    ]);
    assert.deepEqual(prompts, [{ role: "user", text: "mail A@B", message: "messages[0]" }]);
    assert.deepEqual(content, {
      "gen_ai.output.messages": "answered",
      "gen_ai.input.messages": "said",
      "content.truncated": true,
    });
  });

  test("is not gathered for an exchange that is not recorded", async () => {
    assert.deepEqual((await record("mail A@B", { sampled: false })).prompts, []);
  });

  test("is recorded when the exchange is over, the answer first, and once", async () => {
    const { before, asked } = await record("mail A@B");
    assert.deepEqual([before, asked], [[], ["answer", "prompt"]]);
  });

  for (const fails of ["to load", "to record"] as const)
    test(`that fails ${fails} holds up nothing`, async () => {
      assert.deepEqual((await record("mail A@B", { fails })).content, {});
    });

  test("escapes in the arguments of tool calls are resolved", async () => {
    const call = { id: "1", type: "function", function: { name: "pay", arguments: '{"c":"\\n41\\u0031"}' } };
    const messages = [
      { role: "user", content: "a\\u0031" },
      { role: "assistant", tool_calls: [call] },
    ];
    const { prompts } = await record("", { more: { messages } });
    assert.deepEqual(
      prompts.map(({ text }) => text),
      ["a\\u0031", "pay", '{"c":" 411"'],
    );
  });

  test("nor is more held than is searched of a whole exchange", async () => {
    const messages = Array.from({ length: 5 }, () => ({ role: "user", content: "a text".repeat(5000) }));
    const { prompts } = await record("", { more: { messages }, gatherChars: 66_048 });
    assert.deepEqual(
      prompts.map(({ text }) => text.length),
      [mostChars - 60_000 + 1, 30_000, 30_000],
    );
  });

  test("no more of a prompt is held than can be recorded, and what is longer says so", async () => {
    const messages = Array.from({ length: 50 }, (_, i) => ({ role: "user", content: `${i} is a long text` }));
    const { prompts } = await record("", { more: { messages } });
    assert.deepEqual(
      prompts.map(({ text }) => text),
      messages.slice(-33).map(({ content }) => content.slice(0, 11)),
    );
  });

  test("is not recorded where what was found is not known of each text, or not all of it", async () => {
    const chat = asks("mail A@B");
    const recorder = { gatherChars: 10, answer: () => [], prompt: () => [] };
    const capture = async (texts: number, entitiesLeftOut: number) => {
      const { encode } = fakeEncoder();
      const pass = sharedPass(
        {
          async encode(reading, wants, signal) {
            const encoding = await encode(reading, wants, signal);
            const effort = { ...encoding.effort, entitiesLeftOut };
            return { ...encoding, entities: Array.from({ length: texts }, () => []), effort };
          },
        },
        chat,
        { category: false, jailbreak: false, entities: true, embedding: false },
        new AbortController(),
      );
      return contentCapture(async () => recorder, true)(
        chat,
        { body: undefined, instructions: undefined },
        pass,
      );
    };
    assert.ok(await capture(1, 0));
    for (const [texts, leftOut] of [
      [0, 0],
      [2, 0],
      [1, 1],
    ] as const)
      assert.equal(await capture(texts, leftOut), undefined, `${texts} ${leftOut}`);
  });
});
