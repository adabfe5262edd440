import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { endpointHealth } from "../../src/pipeline/endpoint-health.ts";
import { buildPipeline } from "../../src/pipeline.ts";
import { fakeEncoder } from "../support/fake-encoder.ts";
import { asks, attributesOf, configOf, newTrace } from "../support/pipeline.ts";

const config = configOf(`
model_config: { m: { pii_policy: { allow_by_default: true } } }
classifier: { pii_model: {} }
`);

/** What the recorder is asked to redact and to record of a prompt, for an exchange of this kind. */
async function record(text: string, { sampled = true, fails = false } = {}) {
  const known: unknown[] = [];
  const prompts: unknown[] = [];
  const pipeline = buildPipeline(
    config,
    { encoder: fakeEncoder(), cache: undefined, health: endpointHealth() },
    async (found) => {
      if (fails) throw new Error("no recogniser");
      known.push(...found);
      return {
        gatherChars: 10,
        prompt: (texts) => {
          prompts.push(...texts);
          return [["gen_ai.input.messages", "said"]];
        },
        answer: () => [],
      };
    },
  );
  const at = newTrace({ flags: sampled ? 1 : 0 });
  const chat = asks(text, { model: "m", tools: [{ name: "mail Q@Z" }] });
  const outcome = await pipeline(chat, { path: "chat", tenant: "" }, at, new AbortController());
  const upstream = at.children.find(({ kind }) => kind === "client")!;
  return { outcome, known, prompts, content: attributesOf(upstream)["gen_ai.input.messages"] };
}

describe("content", () => {
  test("what was found anywhere in the request is known to the recorder", async () => {
    const { outcome, known, prompts, content } = await record("mail A@B");
    assert.equal(outcome.kind, "forward");
    assert.deepEqual(known, [
      { type: "EMAIL_ADDRESS", value: "A@B" },
      { type: "EMAIL_ADDRESS", value: "Q@Z" },
    ]);
    assert.deepEqual(prompts, [{ role: "user", text: "mail A@B", message: "messages[0]" }]);
    assert.equal(content, "said");
  });

  test("is not gathered for an exchange that is not recorded", async () => {
    assert.deepEqual((await record("mail A@B", { sampled: false })).prompts, []);
  });

  test("that cannot be recorded holds up nothing", async () => {
    const { outcome, content } = await record("mail A@B", { fails: true });
    assert.equal(outcome.kind, "forward");
    assert.equal(content, undefined);
  });
});
