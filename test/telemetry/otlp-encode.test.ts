import assert from "node:assert/strict";
import { test } from "node:test";
import { credentials } from "@grpc/grpc-js";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { type OtlpReceiver, startOtlpReceiver } from "../../scripts/demo/otlp-receiver.ts";
import { otlpExporter } from "../../src/telemetry/otlp/exporter.ts";
import { encodeTraces } from "../../src/telemetry/otlp-encode.ts";
import { toReadableSpans } from "../../src/telemetry/readable.ts";
import { type AttributeValue, randomHex, Trace } from "../../src/telemetry/trace.ts";
import type { Origin } from "../../src/telemetry/trace-exporter.ts";
import { otlpTo } from "../support/tracing.ts";

const spans = 10_000;
const origin: Origin = {
  resource: { "service.name": "sr", "deployment.environment.name": "语义" },
  scope: { name: "semantic-router", version: "9.9" },
};

/** Repeatable: a failure names a span by its place. */
function generator(seed: number) {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const values: readonly (() => AttributeValue)[] = [
    () => "x".repeat(next(250)),
    () => ["", "naïve 语义 🙂", "a,b=c"][next(3)]!,
    () => next(2) === 1,
    () => next(2 ** 31) - 2 ** 30,
    () => (next(1000) + 0.5) / 7,
    () => -next(1000) / 3 - 0.1,
    () => Array.from({ length: next(5) }, (_, i) => `item ${i}`),
  ];
  return { next, value: () => values[next(values.length)]!() };
}

function traceOf({ next, value }: ReturnType<typeof generator>): Trace {
  const remote = next(2) === 1;
  const link = { traceId: randomHex(16), spanId: randomHex(8), flags: 1, state: "" };
  const trace = new Trace("root", {
    traceId: randomHex(16),
    parentSpanId: remote ? randomHex(8) : undefined,
    flags: 1 + 2 * next(2),
    state: ["", "a=1", "k=1,l=2"][next(3)]!,
    link: next(4) === 0 ? link : undefined,
    propagates: true,
  });
  const all = [
    trace.root,
    ...Array.from({ length: next(9) }, (_, i) => trace.open(`stage ${i}`, i % 2 ? "client" : "internal")),
  ];
  for (const span of all) {
    for (let i = next(12); i > 0; i -= 1) span.set(`key.${next(10)}`, value());
    if (next(5) === 0) span.fail(`cause ${next(9)}`);
    span.end(span.startMs + next(10_000_000) / 1000);
  }
  return trace;
}

test(`${spans} generated spans read the same from our serialiser as from OpenTelemetry's`, async () => {
  const generated = generator(7);
  const traces: Trace[] = [];
  for (let count = 0; count < spans; count += 1 + traces.at(-1)!.children.length)
    traces.push(traceOf(generated));
  await using ours = await startOtlpReceiver();
  await using theirs = await startOtlpReceiver();
  const exporter = otlpExporter(otlpTo(`http://127.0.0.1:${ours.port}`), origin);
  const oracle = new OTLPTraceExporter({
    url: `http://127.0.0.1:${theirs.port}`,
    credentials: credentials.createInsecure(),
  });
  const resource = resourceFromAttributes({ ...origin.resource });
  for (let i = 0; i < traces.length; i += 100) {
    const batch = traces.slice(i, i + 100);
    await new Promise<void>((resolve) => exporter.export(batch, () => resolve()));
    const readable = batch.flatMap((trace) => toReadableSpans(trace, resource, origin.scope));
    await new Promise<void>((resolve) => oracle.export(readable, () => resolve()));
  }
  await exporter.shutdown(5000);
  await oracle.shutdown();
  assert.ok(ours.spans.length >= spans);
  assert.deepEqual(sorted(ours), sorted(theirs));
});

const sorted = ({ spans }: OtlpReceiver) => spans.toSorted((a, b) => (a.spanId < b.spanId ? -1 : 1));

test("a measure that happens to be whole stays a double, a count stays an integer", () => {
  const trace = new Trace("root", { traceId: randomHex(16), flags: 1, state: "", propagates: true });
  trace.root.set("category.confidence", 1).set("http.response.status_code", 200).end();
  const bytes = encodeTraces([trace], origin);
  const one = Buffer.alloc(8);
  one.writeDoubleLE(1);
  // AnyValue: field 4 is a double, field 3 an int.
  assert.ok(bytes.includes(Buffer.concat([Buffer.from([0x12, 9, 0x21]), one])));
  assert.ok(bytes.includes(Buffer.from([0x12, 3, 0x18, 0xc8, 0x01])));
});
