import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from "../../scripts/demo/otlp-receiver.ts";
import { envoyMissing, startEnvoy, type TestEnvoy } from "../support/envoy.ts";
import { startUpstream, type Upstream } from "../support/faulty-upstream.ts";
import { type Product, startProduct } from "../support/product.ts";

const frame = (text: string) =>
  `data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`;
const bodyOf = (content: string, more: object = {}) =>
  JSON.stringify({ model: "auto", messages: [{ role: "user", content }], ...more });

describe("what goes wrong around an exchange", { skip: envoyMissing }, () => {
  let upstream: Upstream;
  let receiver: OtlpReceiver;
  let product: Product;
  let envoy: TestEnvoy;
  let release = () => {};

  before(async () => {
    upstream = await startUpstream((_request, response, body) => {
      const sse = { "content-type": "text/event-stream" };
      if (body.includes("THINK")) return;
      if (body.includes("RESET")) {
        response.writeHead(200, sse).write(frame("a"));
        setTimeout(() => response.socket?.resetAndDestroy(), 50);
      } else if (body.includes("STREAM")) {
        response.writeHead(200, sse).write(frame("a") + frame("b"));
        release = () => response.end("data: [DONE]\n\n");
      } else if (body.includes("LARGE")) {
        response
          .writeHead(200, { "content-type": "application/json" })
          .end(JSON.stringify({ choices: [], pad: "x".repeat(5_000_000) }));
      } else
        response
          .writeHead(200, { "content-type": "application/json", "x-vsr-selected-model": "forged" })
          .end(body || "{}");
    });
    receiver = await startOtlpReceiver();
    const endpoints = [{ name: "one", address: "127.0.0.1", port: upstream.port }];
    const config = {
      vllm_endpoints: endpoints,
      model_config: { m: { preferred_endpoints: ["one"] } },
      default_model: "m",
      limits: { max_body_bytes: 8_000_000 },
      observability: {
        tracing: { enabled: true, exporter: { endpoint: `127.0.0.1:${receiver.port}`, insecure: true } },
      },
    };
    product = await startProduct(JSON.stringify(config));
    envoy = await startEnvoy({ endpoints, processor: { address: "127.0.0.1", port: product.port } });
  });
  after(async () => {
    await envoy?.stop();
    await product?.stop();
    await upstream?.stop();
    await receiver?.stop();
  });

  const newTrace = () => randomBytes(16).toString("hex");
  const traceparent = (trace: string) => `00-${trace}-${"b".repeat(16)}-01`;

  function open(
    trace: string,
    body: string,
  ): { outgoing: ClientRequest; response: Promise<IncomingMessage> } {
    const outgoing = request({
      port: envoy.port,
      host: "127.0.0.1",
      method: "POST",
      path: "/v1/chat/completions",
      headers: {
        traceparent: traceparent(trace),
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      },
    });
    const response = once(outgoing, "response").then(([incoming]) => incoming as IncomingMessage);
    response.catch(() => {});
    outgoing.on("error", () => {});
    return { outgoing, response };
  }

  const outcomeOf = (spans: readonly ReceivedSpan[]) => {
    const root = spans.find(({ name }) => name.endsWith("request.received"))!;
    for (const span of spans)
      assert.ok(span.endNs <= root.endNs && (span === root || span.parentSpanId === root.spanId), span.name);
    const upstreamSpan = spans.find(({ name }) => name.endsWith("upstream.request"));
    return [
      root.attributes.outcome,
      root.attributes["outcome.reason"],
      root.status.code,
      upstreamSpan?.status.code,
    ];
  };

  test("client gone before its body is complete", async () => {
    const trace = newTrace();
    const { outgoing } = open(trace, bodyOf("x".repeat(1000)));
    outgoing.write('{"model":');
    await sleep(100);
    outgoing.destroy();
    const spans = await receiver.waitFor(trace);
    assert.deepEqual(outcomeOf(spans), ["aborted", "client_disconnect", "ERROR", undefined]);
  });

  test("client gone while the upstream thinks", async () => {
    const trace = newTrace();
    const { outgoing } = open(trace, bodyOf("THINK"));
    outgoing.end(bodyOf("THINK"));
    const before = upstream.requests.length;
    while (upstream.requests.length === before) await sleep(5);
    outgoing.destroy();
    assert.deepEqual(outcomeOf(await receiver.waitFor(trace)), [
      "aborted",
      "client_disconnect",
      "ERROR",
      "ERROR",
    ]);
  });

  test("tokens flow while the model still speaks; client gone mid-stream", async () => {
    const trace = newTrace();
    const { outgoing, response } = open(trace, bodyOf("STREAM", { stream: true }));
    outgoing.end(bodyOf("STREAM", { stream: true }));
    const [first] = (await once(await response, "data")) as [Buffer];
    assert.match(first.toString(), /"content":"a"/);
    outgoing.destroy();
    const spans = await receiver.waitFor(trace);
    assert.deepEqual(outcomeOf(spans), ["aborted", "client_disconnect", "ERROR", "ERROR"]);
    const { attributes } = spans.find(({ name }) => name.endsWith("upstream.request"))!;
    assert.deepEqual(
      [attributes["gen_ai.usage.output_tokens"], attributes["gen_ai.usage.estimated"]],
      [2, true],
    );
  });

  test("client gone right after the last frame: the exchange is whole", async () => {
    const trace = newTrace();
    const { outgoing, response } = open(trace, bodyOf("STREAM", { stream: true }));
    outgoing.end(bodyOf("STREAM", { stream: true }));
    const incoming = await response;
    await once(incoming, "data");
    release();
    await once(incoming, "end");
    outgoing.destroy();
    assert.deepEqual(outcomeOf(await receiver.waitFor(trace)), ["forwarded", undefined, "UNSET", "UNSET"]);
  });

  test("upstream resets mid-body", async () => {
    const trace = newTrace();
    const { outgoing, response } = open(trace, bodyOf("RESET", { stream: true }));
    outgoing.end(bodyOf("RESET", { stream: true }));
    const incoming = await response;
    incoming.on("error", () => {}).resume();
    await new Promise((resolve) => incoming.on("close", resolve));
    assert.equal(incoming.complete, false);
    assert.deepEqual(outcomeOf(await receiver.waitFor(trace)), [
      "aborted",
      "upstream_reset",
      "ERROR",
      "ERROR",
    ]);
  });

  test("an answer of 5 MB passes whole, and upstream's own x-vsr headers do not", async () => {
    const trace = newTrace();
    const { outgoing, response } = open(trace, bodyOf("LARGE"));
    outgoing.end(bodyOf("LARGE"));
    const incoming = await response;
    let size = 0;
    for await (const chunk of incoming) size += (chunk as Buffer).length;
    assert.ok(size > 5_000_000);
    assert.equal(incoming.headers["x-vsr-selected-model"], "m");
    assert.deepEqual(outcomeOf(await receiver.waitFor(trace)), ["forwarded", undefined, "UNSET", "UNSET"]);
  });

  test("a large prompt passes, one over the limit gets 413 and reaches nobody", async () => {
    const url = `http://127.0.0.1:${envoy.port}/v1/chat/completions`;
    const passes = await fetch(url, { method: "POST", body: bodyOf("y".repeat(6_000_000)) });
    assert.equal(passes.status, 200);
    await passes.arrayBuffer();
    const before = upstream.requests.length;
    for (const size of [9_000_000, 40_000_000]) {
      const refused = await fetch(url, { method: "POST", body: bodyOf("y".repeat(size)) });
      const { error } = (await refused.json()) as { error: { code: string } };
      assert.deepEqual([refused.status, error.code], [413, "request_too_large"]);
    }
    assert.equal(upstream.requests.length, before);
  });

  test("HTTP/2 and chunked bodies are edited like any other", async () => {
    const client = connectHttp2(`http://127.0.0.1:${envoy.port}`);
    const stream = client.request({ ":method": "POST", ":path": "/v1/chat/completions" });
    stream.end('{"model":"auto", "n":1.0,"messages":[{"role":"user","content":"caf\\u00e9"}]}');
    let text = "";
    for await (const chunk of stream) text += String(chunk);
    client.close();
    assert.equal(text, '{"model":"m", "n":1.0,"messages":[{"role":"user","content":"caf\\u00e9"}]}');
    const outgoing = request({
      port: envoy.port,
      host: "127.0.0.1",
      method: "POST",
      path: "/v1/chat/completions",
    });
    outgoing.write('{"model":"auto",');
    outgoing.end('"messages":[{"role":"user","content":"hi"}],"x":1e400}');
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    let echoed = "";
    for await (const chunk of incoming) echoed += String(chunk);
    assert.equal(echoed, '{"model":"m","messages":[{"role":"user","content":"hi"}],"x":1e400}');
  });

  test("more headers than ext_proc takes are refused in the words of the API, and reach nobody", async () => {
    const before = upstream.requests.length;
    const refused = await fetch(`http://127.0.0.1:${envoy.port}/v1/chat/completions`, {
      method: "POST",
      headers: Object.fromEntries(Array.from({ length: 88 }, (_, i) => [`x-h-${i}`, "1"])),
      body: bodyOf("hi"),
    });
    const { error } = (await refused.json()) as { error: { code: string } };
    assert.deepEqual([refused.status, error.code], [503, "router_unavailable"]);
    assert.equal(upstream.requests.length, before);
  });

  test("other spellings of the path are the same path, or reach nobody as a chat", async () => {
    for (const path of [
      "//v1/chat/completions",
      "/v1/./chat/completions",
      "/v1/%63hat/completions",
      "/v1/chat/completions/",
    ]) {
      const outgoing = request({ port: envoy.port, host: "127.0.0.1", method: "POST", path });
      outgoing.end("{");
      const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
      incoming.resume();
      assert.equal(incoming.statusCode, 400, path);
    }
  });

  test("with the processor gone every request is refused and none reaches upstream; back again it serves", async () => {
    const endpoints = [{ name: "one", address: "127.0.0.1", port: upstream.port }];
    const other = await startProduct(
      JSON.stringify({
        vllm_endpoints: endpoints,
        model_config: { m: { preferred_endpoints: ["one"] } },
        default_model: "m",
      }),
    );
    await using lonely = await startEnvoy({
      endpoints,
      processor: { address: "127.0.0.1", port: other.port },
    });
    const send = () =>
      fetch(`http://127.0.0.1:${lonely.port}/v1/chat/completions`, {
        method: "POST",
        headers: { "x-vsr-destination-endpoint": "one" },
        body: bodyOf("hi"),
      });
    const served = await send();
    assert.equal(served.status, 200);
    await served.arrayBuffer();
    await other.stop();
    const before = upstream.requests.length;
    for (let i = 0; i < 5; i += 1) {
      const refused = await send();
      const { error } = (await refused.json()) as { error: { code: string } };
      assert.deepEqual([refused.status, error.code], [503, "router_unavailable"]);
    }
    assert.equal(upstream.requests.length, before);
  });
});
