import assert from "node:assert/strict";
import test from "node:test";
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as HttpExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, SimpleSpanProcessor, type SpanExporter } from "@opentelemetry/sdk-trace-base";
import {
  type OtlpReceiver,
  type ReceivedBatch,
  startOtlpReceiver,
} from "../../scripts/demo/otlp-receiver.ts";
import { freePorts } from "../support/ports.ts";

type Way = {
  readonly name: string;
  readonly protocol: ReceivedBatch["protocol"];
  readonly exporter: (to: OtlpReceiver) => SpanExporter;
};
const gzip = "gzip" as NonNullable<NonNullable<ConstructorParameters<typeof HttpExporter>[0]>["compression"]>;
const grpcUrl = ({ port }: OtlpReceiver) => `http://127.0.0.1:${port}`;
const httpUrl = ({ httpPort }: OtlpReceiver) => `http://127.0.0.1:${httpPort}/v1/traces`;
const ways: readonly Way[] = [
  { name: "gRPC", protocol: "grpc", exporter: (to) => new GrpcExporter({ url: grpcUrl(to) }) },
  {
    name: "gRPC, gzip",
    protocol: "grpc",
    exporter: (to) => new GrpcExporter({ url: grpcUrl(to), compression: gzip }),
  },
  {
    name: "http/protobuf",
    protocol: "http/protobuf",
    exporter: (to) => new HttpExporter({ url: httpUrl(to) }),
  },
  {
    name: "http/protobuf, gzip",
    protocol: "http/protobuf",
    exporter: (to) => new HttpExporter({ url: httpUrl(to), compression: gzip }),
  },
];

for (const { name, protocol, exporter } of ways) {
  test(`the stock exporter's spans arrive whole: ${name}`, async () => {
    await using receiver = await startOtlpReceiver();
    await sendAndCompare(receiver, exporter(receiver));
    assert.ok(receiver.batches.length > 0);
    for (const batch of receiver.batches) assert.equal(batch.protocol, protocol);
    assert.deepEqual(
      receiver.batches.flatMap(({ spans }) => spans),
      receiver.spans,
    );
  });
}

async function sendAndCompare(receiver: OtlpReceiver, exporter: SpanExporter): Promise<void> {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "router" }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
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
}

const protobuf = { "content-type": "application/x-protobuf" };
const refusals: readonly (readonly [why: string, path: string, init: RequestInit, status: number])[] = [
  ["another path", "/", { method: "POST", headers: protobuf, body: "" }, 404],
  ["another method", "/v1/traces", { method: "GET" }, 405],
  [
    "JSON",
    "/v1/traces",
    { method: "POST", headers: { "content-type": "application/json" }, body: "{}" },
    415,
  ],
  [
    "another encoding",
    "/v1/traces",
    { method: "POST", headers: { ...protobuf, "content-encoding": "br" }, body: "" },
    415,
  ],
  ["bytes that are no export", "/v1/traces", { method: "POST", headers: protobuf, body: "\x0a\x7f" }, 400],
  [
    "bytes that are no gzip",
    "/v1/traces",
    { method: "POST", headers: { ...protobuf, "content-encoding": "gzip" }, body: "x" },
    400,
  ],
];
for (const [why, path, init, status] of refusals) {
  test(`http/protobuf: ${why} is answered with ${status} and kept nowhere`, async () => {
    await using receiver = await startOtlpReceiver();
    const answer = await fetch(`http://127.0.0.1:${receiver.httpPort}${path}`, init);
    assert.equal(answer.status, status);
    assert.notEqual(await answer.text(), "");
    assert.deepEqual(receiver.batches, []);
  });
}

test("both ports can be chosen, and are free again after the end", async () => {
  const [port, httpPort] = (await freePorts(2)) as [number, number];
  for (let round = 0; round < 2; round++) {
    await using receiver = await startOtlpReceiver({ port, httpPort });
    assert.deepEqual([receiver.port, receiver.httpPort], [port, httpPort]);
  }
});

test("a trace that never becomes whole is reported with what did arrive", async () => {
  await using receiver = await startOtlpReceiver();
  await assert.rejects(
    receiver.waitFor("0".repeat(32), undefined, 20),
    /trace 0{32} is not whole after 20 ms: \[\]/,
  );
});
