import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Document } from "yaml";
import { ENVOY_PATHS } from "../../src/envoy/render.ts";
import { envoyMissing, startEnvoy, type TestEnvoy } from "../support/envoy.ts";
import { startUpstream, type Upstream } from "../support/faulty-upstream.ts";
import { type Product, startProduct } from "../support/product.ts";

/** Some 15,000 tokens, no window of which comes twice. */
const prompt = Array.from({ length: 6000 }, (_, i) => `item ${i} `).join("");

describe("a prompt that takes the model longer than Envoy waits", { skip: envoyMissing }, () => {
  let upstream: Upstream;
  let product: Product;
  const endpoints = () => [{ name: "one", address: "127.0.0.1", port: upstream.port }];

  before(async () => {
    upstream = await startUpstream((_request, response, body) => {
      response.writeHead(200, { "content-type": "application/json" }).end(body);
    });
    product = await startProduct(
      JSON.stringify({
        vllm_endpoints: endpoints(),
        model_config: { m: { preferred_endpoints: ["one"] } },
        default_model: "m",
        prompt_guard: { enabled: true, threshold: 0.99999 },
        inference: { deadline_ms: 20_000 },
      }),
    );
  });
  after(async () => {
    await product?.stop();
    await upstream?.stop();
  });

  async function ask(edit: (doc: Document) => void) {
    const processor = { address: "127.0.0.1", port: product.port };
    const edits = (doc: Document) => {
      doc.setIn([...ENVOY_PATHS.extProc, "message_timeout"], "0.1s");
      edit(doc);
    };
    await using envoy: TestEnvoy = await startEnvoy({ endpoints: endpoints(), processor, edits });
    const answer = await fetch(`http://127.0.0.1:${envoy.port}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      // What an earlier one left in the memory of the model must not help.
      body: JSON.stringify({
        model: "auto",
        messages: [{ role: "user", content: prompt + crypto.randomUUID() + prompt }],
      }),
    });
    const ignored = (await envoy.stats("override_message_timeout_ignored")).values().next().value;
    return { status: answer.status, ignored };
  }

  test("is read to its end where Envoy may be asked for time", async () => {
    assert.deepEqual(await ask(() => {}), { status: 200, ignored: 0 });
  });

  test("is answered by Envoy where it may not", async () => {
    const asked = ask((doc) => doc.deleteIn([...ENVOY_PATHS.extProc, "max_message_timeout"]));
    assert.deepEqual(await asked, { status: 504, ignored: 1 });
  });
});
