import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Mode, Question } from "../../examples/opentelemetry/dummy_client.ts";
import { firstLine } from "../../examples/opentelemetry/lib/llm-request.ts";
import type { ReceivedSpan } from "../../scripts/demo/otlp-receiver.ts";
import { envoyMissing } from "../support/envoy.ts";
import { durationNs, joined, LLM, named, UPSTREAM } from "./joined.ts";
import { OTHER, protocols, SMALL, type Stage, startStage } from "./stage.ts";

const NINE = [
  "request.received",
  "classification",
  "security.pii_detection",
  "security.jailbreak_detection",
  "cache.lookup",
  "routing.decision",
  "backend.selection",
  "system_prompt.injection",
  "upstream.request",
].map((name) => `semantic_router.${name}`);

/** Clocks of two processes on one host. */
const CLOCKS_NS = 20e6;
/** The client may have read everything before the router learns that the exchange is over. */
const LAST_WORD_NS = 500e6;

const modes: readonly Mode[] = ["chat", "stream", "completions"];
const questions: Readonly<Record<Mode, string>> = {
  chat: "What is the derivative of x^3 + 2x with respect to x?",
  stream: "Which integers satisfy x^2 - 5x + 6 = 0?",
  completions: "Compute the integral of sin(x) from 0 to pi.",
};

for (const protocol of protocols) {
  describe(`one trace from client to model server, ${protocol} on every side`, { skip: envoyMissing }, () => {
    let stage: Stage;
    before(async () => {
      stage = await startStage({ protocol, cache: true });
    });
    after(() => stage?.stop());
    const ask = (question: Partial<Question>) =>
      stage.client.ask({ url: stage.url, mode: "chat", model: "auto", prompt: questions.chat, ...question });

    for (const mode of modes) {
      test(`${mode}: three services, the router's nine, and the ids that belong together`, async () => {
        const reply = await ask({ mode, prompt: questions[mode] });
        assert.equal(reply.status, 200, reply.text);
        const { client, root, upstream, llm, spans } = await joined(stage.receiver, reply);
        assert.deepEqual(spans.map(({ name }) => name).sort(), [...NINE, "client-span", LLM].sort());
        assert.equal(client.attributes.prompt, questions[mode]);

        const [request] = llm as [ReceivedSpan];
        const id = `${mode === "completions" ? "cmpl" : "chatcmpl"}-${root.attributes["request.id"]}`;
        assert.equal(reply.id, id);
        assert.equal(request.attributes["gen_ai.request.id"], mode === "completions" ? `${id}-0` : id);
        assert.equal(upstream.attributes["gen_ai.response.id"], id);

        for (const [ours, theirs] of [
          ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"],
          ["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"],
        ] as const) {
          assert.equal(typeof upstream.attributes[ours], "number");
          assert.equal(upstream.attributes[ours], request.attributes[theirs]);
        }
        // The engine does not tell the model; the router does.
        assert.equal(upstream.attributes["gen_ai.request.model"], OTHER);

        assert.ok(Number(upstream.startNs - request.startNs) <= CLOCKS_NS, "begins before the engine");
        assert.ok(Number(request.endNs - upstream.endNs) <= CLOCKS_NS, "ends after the last token");
        const e2e = Number(request.attributes["gen_ai.latency.e2e"]) * 1e9;
        assert.ok(e2e > 0 && e2e <= durationNs(upstream) + CLOCKS_NS);
        assert.ok(durationNs(upstream) <= durationNs(root));
        assert.ok(durationNs(root) <= durationNs(client) + LAST_WORD_NS);
      });
    }

    test("several choices are several spans under the one of the router", async () => {
      const reply = await ask({ model: SMALL, body: { n: 2, temperature: 0.7 } });
      const { llm } = await joined(stage.receiver, reply, 2);
      assert.equal(new Set(llm.map(({ spanId }) => spanId)).size, 2);
    });

    test("200 at once: 200 traces, each with its own spans and no others", async () => {
      const asked = Array.from({ length: 200 }, (_, i) => ({
        mode: modes[i % 3]!,
        model: [SMALL, OTHER, "auto"][Math.floor(i / 3) % 3]!,
        prompt: `Tell me about number ${i * 7919}.`,
        // Another seed is another partition of the cache: none is answered from it.
        body: { seed: i },
      }));
      const replies = await Promise.all(asked.map((question) => ask(question)));
      assert.deepEqual(
        replies.filter(({ status }) => status !== 200).map(({ text }) => text),
        [],
      );
      assert.equal(new Set(replies.map(({ traceId }) => traceId)).size, 200);
      const requests = new Set<unknown>();
      for (const reply of replies) {
        const { root, llm } = await joined(stage.receiver, reply);
        const id = String(root.attributes["request.id"]);
        assert.ok(String(llm[0]?.attributes["gen_ai.request.id"]).includes(id));
        assert.ok(reply.id.endsWith(id));
        requests.add(id);
      }
      assert.equal(requests.size, 200);
    });

    test("every batch came by the protocol that was asked for, from all three services", () => {
      const ways = new Set(
        stage.receiver.batches.flatMap((batch) =>
          batch.spans.map(({ resource }) => `${resource["service.name"]} ${batch.protocol}`),
        ),
      );
      assert.deepEqual(
        [...ways].sort(),
        ["client-service", "vllm-semantic-router", "vllm-server"].map((name) => `${name} ${protocol}`),
      );
    });

    test("every request to the model server named the router's span, in one line", () => {
      const { spans } = stage.receiver;
      for (const { rawHeaders } of stage.vllm.requests) {
        const lines = rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === "traceparent");
        assert.equal(lines.length, 1);
        const [, , parent] = firstLine(rawHeaders, "traceparent")!.split("-");
        assert.equal(spans.find(({ spanId }) => spanId === parent)?.name, UPSTREAM);
      }
      assert.equal(named(spans, LLM).length, stage.vllm.requests.length + 1, "two for the two choices");
    });
  });
}
