import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { formatTraceparent, readTraceContext, type SpanContext } from "../../src/telemetry/w3c.ts";
import { finished, startWith } from "../support/tracing.ts";

const context = (id: string, flags = 1, state = ""): SpanContext => ({
  traceId: id.repeat(32),
  spanId: id.repeat(16),
  flags,
  state,
});
const nanos = ([seconds, nanoseconds]: [number, number]) =>
  BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);

describe("what a trace is a part of", () => {
  const a = context("a", 1, "k=1");
  const b = context("b", 0, "k=2");
  const cases: readonly [string, SpanContext | undefined, SpanContext | undefined, object][] = [
    ["metadata alone", a, undefined, { parent: "a", link: undefined, state: "k=1", flags: 1 }],
    ["headers alone", undefined, a, { parent: "a", link: undefined, state: "k=1", flags: 1 }],
    ["both, of two traces", a, b, { parent: "a", link: "b", state: "k=1", flags: 1 }],
    [
      "both, of one trace",
      a,
      { ...a, spanId: "c".repeat(16) },
      { parent: "a", link: undefined, state: "k=1", flags: 1 },
    ],
    ["metadata that is not sampled decides", b, a, { parent: "b", link: "a", state: "k=2", flags: 0 }],
    [
      "a random trace id stays one",
      context("a", 3),
      undefined,
      { parent: "a", link: undefined, state: "", flags: 3 },
    ],
    ["unsampled too", context("a", 2), undefined, { parent: "a", link: undefined, state: "", flags: 2 }],
    [
      "neither: random ids of our own",
      undefined,
      undefined,
      { parent: undefined, link: undefined, state: "", flags: 3 },
    ],
  ];
  for (const [name, metadata, headers, expected] of cases) {
    test(name, () => {
      const { tracing } = startWith();
      const { identity } = tracing.begin("root", metadata, headers);
      const parent = metadata ?? headers;
      if (parent) assert.equal(identity.traceId, parent.traceId);
      else assert.match(identity.traceId, /^(?!0+$)[0-9a-f]{32}$/);
      assert.deepEqual(
        {
          parent: identity.parentSpanId?.[0],
          link: identity.link?.traceId[0],
          state: identity.state,
          flags: identity.flags,
        },
        expected,
      );
    });
  }

  test("a sampler of our own is told upstream with a new parent id", () => {
    const { tracing } = startWith({
      changes: { sampling: { type: "always_off", rate: 1, parent_based: false } },
    });
    const at = tracing.begin("root", undefined, context("a", 3));
    assert.equal(formatTraceparent(at.identity.traceId, at.root.spanId, at.identity.flags).slice(-2), "02");
    assert.notEqual(at.root.spanId, "a".repeat(16));
    assert.equal(at.recording, false);
  });
});

test("spans as OpenTelemetry has them: ids, kinds, parents, times, status, attributes, resource", async () => {
  const resource = { "service.name": "sr", "service.version": "1.2" };
  const { tracing, spans } = startWith({ changes: { resource } });
  const at = tracing.begin("root", context("a", 3, "k=1"), context("b"));
  const stage = at.open("stage");
  stage.set("text", "x").set("text", "last").set("list", ["a", "b"]).set("none", undefined).end();
  await sleep(2);
  const upstream = at.open("upstream", "client").fail("HTTP 503");
  await sleep(2);
  upstream.end();
  upstream.end(1e9);
  at.root.end();
  tracing.finish(at);
  await tracing.shutdown(1000);

  const [root, first, second] = spans;
  assert.ok(root && first && second);
  assert.deepEqual(
    spans.map(({ name, kind, status, attributes }) => ({ name, kind, status, attributes })),
    [
      { name: "root", kind: SpanKind.SERVER, status: { code: SpanStatusCode.UNSET }, attributes: {} },
      {
        name: "stage",
        kind: SpanKind.INTERNAL,
        status: { code: SpanStatusCode.UNSET },
        attributes: { text: "last", list: ["a", "b"] },
      },
      {
        name: "upstream",
        kind: SpanKind.CLIENT,
        status: { code: SpanStatusCode.ERROR, message: "HTTP 503" },
        attributes: {},
      },
    ],
  );
  assert.deepEqual(root.parentSpanContext?.spanId, "a".repeat(16));
  assert.equal(root.parentSpanContext?.isRemote, true);
  assert.deepEqual(
    root.links.map(({ context: { traceId, spanId } }) => [traceId, spanId]),
    [["b".repeat(32), "b".repeat(16)]],
  );
  for (const child of [first, second]) {
    assert.equal(child.parentSpanContext?.spanId, root.spanContext().spanId);
    assert.notEqual(child.parentSpanContext?.isRemote, true);
    assert.deepEqual(child.links, []);
    assert.ok(nanos(child.startTime) >= nanos(root.startTime) && nanos(child.endTime) <= nanos(root.endTime));
  }
  assert.ok(nanos(first.endTime) <= nanos(second.startTime));
  for (const span of spans) {
    assert.equal(span.spanContext().traceId, "a".repeat(32));
    assert.equal(span.spanContext().traceFlags, 3);
    assert.equal(span.spanContext().traceState?.serialize(), "k=1");
    assert.ok(span.startTime[1] < 1e9 && span.endTime[1] < 1e9 && span.ended);
    assert.deepEqual(span.instrumentationScope, { name: "semantic-router", version: "9.9" });
    assert.deepEqual(span.resource.attributes, {
      "service.name": "sr",
      "service.version": "1.2",
    });
  }
  assert.equal(tracing.health.exported, 3);
});

test("ids are lower-case hex, never zero, and never twice", async () => {
  const { tracing, spans } = startWith();
  const count = 3000;
  for (let i = 0; i < count; i++) {
    tracing.finish(finished(tracing, 1));
    if (i % 500 === 499) await tracing.shutdown(1000);
  }
  const spanIds = spans.map((span) => span.spanContext().spanId);
  assert.equal(new Set(spanIds).size, 2 * count);
  assert.equal(new Set(spans.map((span) => span.spanContext().traceId)).size, count);
  assert.ok(spanIds.every((id) => /^(?!0+$)[0-9a-f]{16}$/.test(id)));
});

test("without an environment and a version there is only the service's name", async () => {
  const { tracing, spans } = startWith();
  tracing.finish(finished(tracing));
  await tracing.shutdown(1000);
  assert.deepEqual(spans[0]?.resource.attributes, { "service.name": "vllm-semantic-router" });
});

describe("what is not recorded costs nothing", () => {
  test("switched off: no spans, no attributes, no trace headers", async () => {
    const { tracing, spans } = startWith({ exporting: false });
    const at = tracing.begin("root", undefined, context("a", 1));
    at.open("stage").set("k", 1).end();
    at.root.end();
    tracing.finish(at);
    await tracing.shutdown(1000);
    assert.equal(at.identity.propagates, false);
    assert.equal(at.recording, false);
    assert.deepEqual(at.children[0]?.attributes, []);
    assert.deepEqual([spans.length, tracing.health.queued], [0, 0]);
  });

  test("unsampled: no spans, no attributes, but a valid traceparent to go on", async () => {
    const { tracing, spans } = startWith({
      changes: { sampling: { type: "always_off", rate: 1, parent_based: true } },
    });
    const at = tracing.begin("root", undefined, undefined);
    const upstream = at.open("upstream", "client").set("k", 1);
    tracing.finish(at);
    await tracing.shutdown(1000);
    assert.deepEqual([spans.length, upstream.attributes], [0, []]);
    const sent = formatTraceparent(at.identity.traceId, upstream.spanId, at.identity.flags);
    assert.equal(readTraceContext([sent], [])?.flags, 2);
  });
});

test("texts are cut at the limit of the settings", async () => {
  const { tracing, spans } = startWith({ changes: { valueLimit: 3 } });
  const at = tracing.begin("root", undefined, undefined);
  at.open("stage").set("text", "abcdef").set("list", ["abcdef", "ab"]).end();
  at.root.end();
  tracing.finish(at);
  await tracing.shutdown(1000);
  assert.deepEqual(spans[1]?.attributes, { text: "abc", list: ["abc", "ab"] });
});
