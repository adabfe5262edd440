import assert from "node:assert/strict";
import { test } from "node:test";
import { startRouter, tree } from "../support/conversation.ts";
import { chat, config, exchange, onEachTransport } from "../support/exchanges.ts";
import { removedHeaders, sends, setHeaders } from "../support/ext-proc.ts";

onEachTransport("propagation", (router) => {
  test("parent: gRPC metadata before headers, the other one as a link", async () => {
    const client = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const envoy = `00-${"c".repeat(32)}-${"d".repeat(16)}-01`;
    const both = await router.play([sends.get("/v1/models", { traceparent: client })], {
      metadata: { traceparent: envoy },
    });
    assert.equal(both.spans[0]!.parentSpanContext?.spanId, "d".repeat(16));
    assert.equal(both.spans[0]!.links[0]?.context.traceId, "a".repeat(32));
    const one = await router.play([sends.get("/v1/models", { traceparent: client })]);
    assert.equal(one.spans[0]!.spanContext().traceId, "a".repeat(32));
    assert.equal(one.spans[0]!.links.length, 0);
  });

  test("an unsampled parent leaves no spans and a valid traceparent", async () => {
    const client = `00-${"a".repeat(32)}-${"b".repeat(16)}-00`;
    const { answers, spans } = await router.play([
      ...exchange({ ...chat("u"), model: "chat" }, { traceparent: client, tracestate: "a=1,b=2" }),
    ]);
    assert.equal(spans.length, 0);
    assert.match(setHeaders(answers[1]!).traceparent!, /^00-a{32}-[0-9a-f]{16}-00$/);
    assert.equal(setHeaders(answers[1]!).tracestate, "a=1,b=2");
  });
});

test("with tracing off the trace headers are left alone", async () => {
  const router = await startRouter(
    config.replace("tracing: { enabled: true }", "tracing: { enabled: false }"),
    "in memory",
  );
  const { answers } = await router.play(
    exchange({ ...chat("u"), model: "chat" }, { traceparent: "garbage", tracestate: "a=1" }),
  );
  const { traceparent, tracestate } = setHeaders(answers[1]!);
  assert.deepEqual([traceparent, tracestate, removedHeaders(answers[1]!)], [undefined, undefined, []]);
  await router.stop();
});

test("a configuration without models passes everything through and traces it", async () => {
  const router = await startRouter("observability: { tracing: { enabled: true } }", "in memory");
  const { answers, spans } = await router.play([
    sends.requestHeaders(),
    sends.responseHeaders(200),
    sends.responseBody("{}"),
  ]);
  assert.equal(setHeaders(answers[0]!)["x-vsr-destination-endpoint"], undefined);
  assert.ok(setHeaders(answers[0]!).traceparent);
  assert.deepEqual(tree(spans, ["outcome"]), ["request.received outcome=passthrough", "  upstream.request"]);
  await router.stop();
});
