import assert from "node:assert/strict";
import test from "node:test";
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { startOtlpReceiver } from "../../scripts/demo/otlp-receiver.ts";

test("the stock exporter's spans arrive whole", async () => {
  await using receiver = await startOtlpReceiver();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "router" }),
    spanProcessors: [
      new SimpleSpanProcessor(new OTLPTraceExporter({ url: `http://127.0.0.1:${receiver.port}` })),
    ],
  });
  const tracer = provider.getTracer("scope", "1.2");
  const root = tracer.startSpan("root", {
    kind: SpanKind.SERVER,
    startTime: [1_700_000_000, 123_456_789],
    attributes: { text: "a", whole: 7, real: 0.5, yes: true, list: ["x", "y"] },
    links: [
      {
        context: { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 },
        attributes: { why: "other" },
      },
    ],
  });
  const child = tracer.startSpan("child", {}, trace.setSpan(context.active(), root));
  child.addEvent("moment", { n: 1 });
  child.setStatus({ code: SpanStatusCode.ERROR, message: "bad" });
  child.end();
  root.end([1_700_000_000, 124_456_789]);

  const spans = await receiver.waitFor(root.spanContext().traceId);
  await provider.shutdown();
  const [gotChild, gotRoot] = spans;
  assert.ok(gotChild && gotRoot);
  assert.equal(gotRoot.parentSpanId, "");
  assert.equal(gotRoot.kind, "SERVER");
  assert.equal(gotRoot.startNs, 1_700_000_000_123_456_789n);
  assert.equal(gotRoot.endNs - gotRoot.startNs, 1_000_000n);
  assert.deepEqual(gotRoot.attributes, { text: "a", whole: 7, real: 0.5, yes: true, list: ["x", "y"] });
  assert.equal(gotRoot.links[0]?.spanId, "b".repeat(16));
  assert.deepEqual(gotRoot.links[0]?.attributes, { why: "other" });
  assert.equal(gotRoot.resource["service.name"], "router");
  assert.deepEqual(gotRoot.scope, { name: "scope", version: "1.2" });
  assert.equal(gotChild.parentSpanId, gotRoot.spanId);
  assert.equal(gotChild.events[0]?.name, "moment");
  assert.deepEqual(gotChild.status, { code: "ERROR", message: "bad" });
});

test("a trace that never becomes whole is reported with what did arrive", async () => {
  await using receiver = await startOtlpReceiver();
  await assert.rejects(
    receiver.waitFor("0".repeat(32), undefined, 20),
    /trace 0{32} is not whole after 20 ms: \[\]/,
  );
});
