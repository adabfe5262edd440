import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from "../../scripts/demo/otlp-receiver.ts";
import { ENVOY_PATHS } from "../../src/envoy/render.ts";
import { envoyMissing, startEnvoy, type TestEnvoy } from "../support/envoy.ts";
import { startUpstream, type Upstream } from "../support/faulty-upstream.ts";
import { type Product, startProduct } from "../support/product.ts";

const frame = 'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"x"}}]}\n\n';
const bodyOf = (kind: string) =>
  JSON.stringify({ model: "auto", stream: true, messages: [{ role: "user", content: kind }] });

/** Each exchange must get its own entry of Envoy's log, whatever its client does. */
describe("exchanges and their entries in Envoy's access log", { skip: envoyMissing }, () => {
  let upstream: Upstream;
  let receiver: OtlpReceiver;
  let product: Product;
  let envoy: TestEnvoy;
  let withoutBodies: TestEnvoy;

  before(async () => {
    upstream = await startUpstream((_request, response, body) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(frame);
      if (body.includes("SLOW")) setTimeout(() => response.end("data: [DONE]\n\n"), 400);
      else if (!body.includes("ENDLESS")) response.end("data: [DONE]\n\n");
    });
    receiver = await startOtlpReceiver();
    const endpoints = [{ name: "one", address: "127.0.0.1", port: upstream.port }];
    product = await startProduct(
      JSON.stringify({
        vllm_endpoints: endpoints,
        model_config: { m: { preferred_endpoints: ["one"] } },
        default_model: "m",
        observability: {
          tracing: { enabled: true, exporter: { endpoint: `127.0.0.1:${receiver.port}`, insecure: true } },
        },
      }),
    );
    const processor = { address: "127.0.0.1", port: product.port };
    envoy = await startEnvoy({ endpoints, processor });
    withoutBodies = await startEnvoy({
      endpoints,
      processor,
      edits: (doc) => doc.setIn([...ENVOY_PATHS.extProc, "processing_mode", "response_body_mode"], "NONE"),
    });
  });
  after(async () => {
    await envoy?.stop();
    await withoutBodies?.stop();
    await product?.stop();
    await upstream?.stop();
    await receiver?.stop();
  });

  const newTrace = () => randomBytes(16).toString("hex");
  const headersOf = (trace: string, id?: string, flags = "01") => ({
    traceparent: `00-${trace}-${"b".repeat(16)}-${flags}`,
    ...(id !== undefined && { "x-request-id": id }),
  });
  function send(
    trace: string,
    kind: string,
    { id, flags, port = envoy.port }: { id?: string; flags?: string; port?: number } = {},
  ): { outgoing: ClientRequest; response: Promise<IncomingMessage> } {
    const outgoing = request({
      host: "127.0.0.1",
      port,
      method: "POST",
      path: "/v1/chat/completions",
      headers: headersOf(trace, id, flags),
    });
    outgoing.on("error", () => {});
    const response = once(outgoing, "response").then(([incoming]) => incoming as IncomingMessage);
    response.catch(() => {});
    outgoing.end(bodyOf(kind));
    return { outgoing, response };
  }
  const rootOf = (spans: readonly ReceivedSpan[]) =>
    spans.find(({ name }) => name.endsWith("request.received"))!;
  const toldOf = async (trace: string) => {
    const root = rootOf(await receiver.waitFor(trace));
    return {
      outcome: `${root.attributes.outcome} ${root.attributes["outcome.reason"] ?? ""}`.trim(),
      ms: Number(root.endNs - root.startNs) / 1e6,
    };
  };
  const whole = async (response: Promise<IncomingMessage>) => {
    const incoming = await response;
    incoming.resume();
    await once(incoming, "end");
  };

  test("one x-request-id for all: each is told as it was, quick, slow, cut, or not sampled", async () => {
    const kinds = ["QUICK", "SLOW", "ENDLESS", "unsampled"] as const;
    const all = Array.from({ length: 80 }, (_, i) => ({
      trace: newTrace(),
      kind: kinds[i % 4]!,
      tookMs: 0,
    }));
    await Promise.all(
      all.map(async (one, i) => {
        const { trace, kind } = one;
        await sleep(i * 5);
        const from = performance.now();
        const { outgoing, response } = send(trace, kind, {
          id: "same",
          ...(kind === "unsampled" && { flags: "00" }),
        });
        await (kind === "ENDLESS" ? once(await response, "data") : whole(response));
        outgoing.destroy();
        one.tookMs = performance.now() - from;
      }),
    );
    for (const { trace, kind, tookMs } of all) {
      if (kind === "unsampled") continue;
      const { outcome, ms } = await toldOf(trace);
      assert.equal(outcome, kind === "ENDLESS" ? "aborted client_disconnect" : "forwarded", kind);
      assert.ok(
        ms <= tookMs + 100 && (kind !== "SLOW" || ms >= 390),
        `${kind} of ${tookMs} ms lasted ${ms} ms`,
      );
    }
  });

  test("clients that leave at once, before the processor has heard of them", async () => {
    const traces = Array.from({ length: 100 }, newTrace);
    for (const [i, trace] of traces.entries()) {
      const { outgoing } = send(trace, "SLOW");
      outgoing.on("finish", () => setTimeout(() => outgoing.destroy(), i % 3));
      if (i % 8 === 7) await sleep(5);
    }
    await sleep(500);
    const heard = traces.filter((trace) => receiver.spans.some(({ traceId }) => traceId === trace));
    assert.ok(heard.length > 50, "most had reached the processor");
    for (const trace of heard) assert.equal((await toldOf(trace)).outcome, "aborted client_disconnect");
  });

  test("a client that closes its HTTP/2 connection, with all the streams on it", async () => {
    const client = connectHttp2(`http://127.0.0.1:${envoy.port}`);
    client.on("error", () => {});
    const traces = Array.from({ length: 20 }, newTrace);
    await Promise.all(
      traces.map((trace) => {
        const stream = client.request({
          ":method": "POST",
          ":path": "/v1/chat/completions",
          ...headersOf(trace),
        });
        stream.on("error", () => {}).end(bodyOf("ENDLESS"));
        return new Promise((resolve) => stream.once("data", resolve));
      }),
    );
    client.destroy();
    for (const trace of traces) assert.equal((await toldOf(trace)).outcome, "aborted client_disconnect");
  });

  test("a WebSocket lasts as long as it lasts", async () => {
    const trace = newTrace();
    const outgoing = request({
      host: "127.0.0.1",
      port: envoy.port,
      path: "/v1/realtime",
      headers: {
        ...headersOf(trace),
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-key": randomBytes(16).toString("base64"),
        "sec-websocket-version": "13",
      },
    });
    outgoing.on("error", () => {}).end();
    const [, socket] = (await once(outgoing, "upgrade")) as [
      IncomingMessage,
      NodeJS.Socket & { destroy(): void },
    ];
    await sleep(1500);
    assert.equal(
      receiver.spans.some(({ traceId }) => traceId === trace),
      false,
    );
    socket.destroy();
    const { outcome, ms } = await toldOf(trace);
    assert.match(outcome, /^passthrough/);
    assert.ok(ms >= 1500, `${ms} ms`);
  });

  test("where Envoy shows no answer's body, the log says whether it was whole", async () => {
    const [good, cut] = [newTrace(), newTrace()];
    await whole(send(good, "SLOW", { port: withoutBodies.port }).response);
    assert.equal((await toldOf(good)).outcome, "forwarded");
    const { outgoing, response } = send(cut, "ENDLESS", { port: withoutBodies.port });
    await once(await response, "data");
    outgoing.destroy();
    assert.equal((await toldOf(cut)).outcome, "aborted client_disconnect");
  });
});
