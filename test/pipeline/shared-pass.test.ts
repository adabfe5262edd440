import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Effort, EncodeError, type Reading, type Wants } from "../../src/models/encode.ts";
import { classification } from "../../src/pipeline/classification.ts";
import { jailbreakDetection } from "../../src/pipeline/jailbreak-detection.ts";
import { piiDetection } from "../../src/pipeline/pii-detection.ts";
import { sharedPass } from "../../src/pipeline/shared-pass.ts";
import type { Trace } from "../../src/telemetry/trace.ts";
import { fakeEncoder } from "../support/fake-encoder.ts";
import { attributesOf, chatOf, configOf, newTrace, passOf } from "../support/pipeline.ts";

const chat = chatOf({
  model: "auto",
  messages: [
    { role: "system", content: "be brief" },
    { role: "user", content: "hello" },
    { role: "assistant", content: "hi" },
    {
      role: "user",
      content: [
        { type: "text", text: "and" },
        { type: "text", text: "now?" },
      ],
    },
    { role: "tool", tool_call_id: "1", content: "rain, says the sky" },
  ],
  tools: [{ type: "function", function: { name: "sky", description: "looks up" } }],
});
const none: Wants = { category: false, jailbreak: false, entities: false, embedding: false };

describe("what is read", () => {
  const read = async (wants: Partial<Wants>, own?: ReadonlySet<keyof Wants>) => {
    const { encode } = fakeEncoder();
    const readings: Reading[] = [];
    const spy: typeof encode = (reading, ...rest) => {
      readings.push(reading);
      return encode(reading, ...rest);
    };
    const pass = sharedPass(
      { encode: spy, ...(own && { own }) },
      chat,
      { ...none, ...wants },
      new AbortController(),
    );
    assert.equal(await pass.read(), await pass.read());
    assert.equal(readings.length, 1, "one pass, however often it is asked for");
    return { ...readings[0]!, pass };
  };

  for (const guard of ["jailbreak", "entities"] as const)
    test(`${guard}: everything, what stands around first, so that the beginning stays as the talk goes on`, async () => {
      const { texts, focus } = await read({ [guard]: true, category: true });
      assert.deepEqual(texts.slice(1), ["be brief", "hello", "hi", "and\nnow?", "rain, says the sky"]);
      assert.match(texts[0]!, /looks up/);
      assert.equal(texts[focus], "and\nnow?");
    });

  test("no guard: the last user turn", async () => {
    const { texts, focus } = await read({ category: true, embedding: true });
    assert.deepEqual([texts, focus], [["and\nnow?"], 0]);
  });

  test("it is shared by those of several parts that are wanted which have no model of their own", async () => {
    const parts = Object.keys(none) as (keyof Wants)[];
    for (const [wanted, own, sharing] of [
      [["category"], [], []],
      [["jailbreak"], [], []],
      [["jailbreak", "embedding"], [], ["jailbreak", "embedding"]],
      [["category", "entities"], [], ["category", "entities"]],
      [["category", "jailbreak", "entities"], ["jailbreak"], ["category", "entities"]],
      [["category", "jailbreak"], ["jailbreak"], []],
      [["category", "jailbreak"], ["embedding"], ["category", "jailbreak"]],
    ] as const) {
      const wants = Object.fromEntries(wanted.map((part) => [part, true]));
      const { pass } = await read(wants, new Set(own));
      assert.deepEqual(
        parts.filter((part) => pass.shares(part)),
        sharing,
        `${wanted} ${own}`,
      );
    }
  });
});

describe("the stages tell what the pass took", () => {
  const effort: Effort = {
    tokens: 300,
    windows: 4,
    remembered: 1,
    passMs: 12.5,
    headMs: { category: 0.25, jailbreak: 0.5, entities: 0.75, embedding: 1 },
    entitiesLeftOut: 0,
  };
  const config = configOf(`
categories: [{ name: law, model_scores: [{ model: m, score: 1, use_reasoning: false }] }]
keyword_rules: [{ category: law, operator: OR, keywords: [now] }]
classifier: { pii_model: { on_error: allow }, category_model: { on_error: allow } }
prompt_guard: { enabled: true, on_error: allow }
default_model: m
`);
  const noKeywords = { ...config, keyword_rules: [] };
  const taken = (at: Trace) =>
    Object.fromEntries(
      Object.entries(attributesOf(at.children[0]!)).filter(([key]) => key.startsWith("model.")),
    );
  const expected = (headMs: number) => ({
    "model.shared_pass": true,
    "model.pass_time_ms": 12.5,
    "model.head_time_ms": headMs,
    "model.windows": 4,
    "model.tokens": 300,
  });
  const said = () => ({ category: Float32Array.of(1), jailbreak: 0 });
  const broken = () => {
    throw new EncodeError("deadline", "late");
  };
  const stages: readonly (readonly [string, number, (encode: typeof said, at: Trace) => Promise<unknown>])[] =
    [
      [
        "classification",
        0.25,
        (encode, at) =>
          classification(noKeywords, ["law"])(chat, passOf(chat, encode, undefined, effort), at),
      ],
      [
        "pii_detection",
        0.75,
        (encode, at) =>
          piiDetection(config)(
            passOf(chat, encode, undefined, effort),
            Promise.resolve(undefined),
            () => [],
            at,
          ),
      ],
      [
        "jailbreak_detection",
        0.5,
        (encode, at) =>
          jailbreakDetection(config)(passOf(chat, encode, undefined, effort), Promise.resolve(undefined), at),
      ],
    ];
  for (const [name, headMs, run] of stages)
    test(`${name}: its own head's time beside the pass; nothing where the model did not answer`, async () => {
      const [answered, failed] = [newTrace(), newTrace()];
      await run(said, answered);
      assert.deepEqual(taken(answered), expected(headMs));
      await run(broken, failed);
      assert.deepEqual(taken(failed), {});
    });

  test("a keyword rule did not ask the model", async () => {
    const at = newTrace();
    await classification(config, ["law"])(chat, passOf(chat, said, undefined, effort), at);
    assert.equal(attributesOf(at.children[0]!)["classifier.type"], "keyword");
    assert.deepEqual(taken(at), {});
  });

  test("a guard beside a keyword rule reads alone, and says so", async () => {
    for (const [settings, shared] of [
      [config, false],
      [noKeywords, true],
    ] as const) {
      const wanted: Wants[] = [];
      const { encode } = fakeEncoder();
      const spy: typeof encode = (reading, wants, signal) => {
        wanted.push(wants);
        return encode(reading, wants, signal);
      };
      const wants = { ...none, category: true, jailbreak: true };
      const pass = sharedPass({ encode: spy }, chat, wants, new AbortController());
      const [classifying, guarding] = [newTrace(), newTrace()];
      const classified = classification(settings, ["law"])(chat, pass, classifying);
      await jailbreakDetection(settings)(pass, classified, guarding);
      assert.deepEqual(wanted, [{ ...wants, category: shared }]);
      assert.equal(taken(guarding)["model.shared_pass"], shared);
    }
  });

  test("what is read already is not dropped any more", async () => {
    const { encode } = fakeEncoder();
    const wants = { ...none, category: true, jailbreak: true };
    const pass = sharedPass({ encode }, chat, wants, new AbortController());
    await pass.read();
    pass.drop("category");
    assert.ok(pass.shares("jailbreak"));
  });
});
