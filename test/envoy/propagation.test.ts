import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from "../../scripts/demo/otlp-receiver.ts";
import { type Pair, valuesOf } from "../extproc/header-mutation.ts";
import { parentId, traceId } from "../extproc/w3c/case.ts";
import { assertUpstream, traceparentOf } from "../extproc/w3c/upstream.ts";
import { w3cCases } from "../extproc/w3c-cases.ts";
import { envoyMissing } from "../support/envoy.ts";
import { type Product, startProduct } from "../support/product.ts";
import { type HeaderUpstream, startHeaderUpstream } from "./header-upstream.ts";
import { startListeners, type TestListeners } from "./listeners.ts";

const ratio = { type: "probabilistic", rate: 0.3, parent_based: false };
/** Configuration of `tracing` for each processor. */
const processors = {
  on: { enabled: true },
  disabled: { enabled: false },
  off: { enabled: true, sampling: { type: "always_off", parent_based: false } },
  one: { enabled: true, sampling: ratio },
  two: { enabled: true, sampling: ratio },
};
type Processor = keyof typeof processors;

/** What Envoy's own tracer does on a listener, and which processor stands behind it. */
const listeners = {
  plain: { processor: "on" },
  traced: { processor: "on", sampling: 100, propagates: false },
  propagating: { processor: "on", sampling: 100, propagates: true },
  unsampled: { processor: "on", sampling: 0, propagates: false },
  disabled: { processor: "disabled" },
  off: { processor: "off" },
  one: { processor: "one" },
  two: { processor: "two" },
} as const;
type Listener = keyof typeof listeners;

const newTrace = () => randomBytes(16).toString("hex");
const client = (trace: string, flags = "01"): Pair => ["traceparent", `00-${trace}-${parentId}-${flags}`];

describe("propagation through Envoy", { skip: envoyMissing }, () => {
  let upstream: HeaderUpstream;
  let receiver: OtlpReceiver;
  let products: Product[] = [];
  let envoy: TestListeners<Listener>;

  before(async () => {
    upstream = await startHeaderUpstream();
    receiver = await startOtlpReceiver();
    const endpoints = [{ name: "one", address: "127.0.0.1", port: upstream.port }];
    const exporter = { endpoint: `127.0.0.1:${receiver.port}`, insecure: true };
    const start = (tracing: object) =>
      startProduct(
        JSON.stringify({
          vllm_endpoints: endpoints,
          model_config: { m: { preferred_endpoints: ["one"] } },
          default_model: "m",
          observability: { tracing: { ...tracing, exporter } },
        }),
      );
    products = await Promise.all(Object.values(processors).map(start));
    const ports = Object.keys(processors).map((name, i) => [name, products[i]!.port]);
    envoy = await startListeners(
      endpoints,
      Object.fromEntries(ports) as Record<Processor, number>,
      listeners,
      receiver.port,
    );
  });
  after(async () => {
    await envoy?.stop();
    await Promise.all(products.map((product) => product.stop()));
    await upstream?.stop();
    await receiver?.stop();
  });

  const upstreamOf = (listener: Listener, headers: readonly Pair[]) =>
    upstream.receives(envoy.ports[listener], headers);
  const isUpstreamSpan = ({ name }: ReceivedSpan) => name.endsWith("upstream.request");
  const isRoot = ({ name }: ReceivedSpan) => name.endsWith("request.received");
  const byEnvoy = ({ resource }: ReceivedSpan) => resource["service.name"] === "envoy";

  describe("W3C Trace Context Level 2", () => {
    const sendable = w3cCases.filter(({ unsendable }) => unsendable === undefined);
    let played: { got: Pair[]; trace: string }[];
    before(async () => {
      played = await Promise.all(
        sendable.map(async ({ headers }) => {
          const trace = newTrace();
          const own = headers.map(([name, value]): Pair => [name, value.replaceAll(traceId, trace)]);
          return { got: await upstreamOf("plain", own), trace };
        }),
      );
    });
    for (const [i, one] of sendable.entries()) {
      test(one.name, async () => {
        const { got, trace } = played[i]!;
        assertUpstream(one, got, trace);
        const sent = traceparentOf(got);
        if (sent.flags === "00" || sent.flags === "02") return;
        const spans = await receiver.waitFor(sent.trace);
        assert.equal(spans.find(isUpstreamSpan)?.spanId, sent.span);
        assert.equal(spans.find(isRoot)?.parentSpanId, one.flags === "new" ? "" : parentId);
      });
    }
  });

  test("what spans record of a tracestate is cut, what upstream gets is not", async () => {
    const trace = newTrace();
    const members = ["a", "b", "c", "d", "e", "f"].map((key) => `${key}=${"v".repeat(98)}`);
    const state = [`large=${"v".repeat(200)}`, ...members].join(",");
    const got = await upstreamOf("plain", [client(trace), ["tracestate", state]]);
    assert.deepEqual(valuesOf(got, "tracestate"), [state]);
    for (const span of await receiver.waitFor(trace))
      assert.equal(span.traceState, members.slice(0, 5).join(","), span.name);
  });

  test("baggage is neither added, nor removed, nor changed", async () => {
    for (const listener of ["plain", "traced", "disabled"] as const) {
      for (const baggage of [[], ["user=1;p=2, x = y"], ["a=1", "b=2"], ["not baggage, ,"]]) {
        const sent = baggage.map((value): Pair => ["baggage", value]);
        assert.deepEqual(
          valuesOf(await upstreamOf(listener, [client(newTrace()), ...sent]), "baggage"),
          baggage,
        );
      }
    }
  });

  test("with tracing disabled both headers pass as they are", async () => {
    const rows: Pair[][] = [
      [],
      [client(newTrace()), ["tracestate", "a=1 , b=2"]],
      [client(newTrace(), "ff"), ["tracestate", "A=1"], ["tracestate", ",,"]],
      [
        ["traceparent", "garbage"],
        ["tracestate", "="],
      ],
      [client(newTrace()), client(newTrace(), "00")],
      [["tracestate", "a=1"]],
    ];
    for (const headers of rows) {
      const got = await upstreamOf("disabled", headers);
      for (const name of ["traceparent", "tracestate"])
        assert.deepEqual(valuesOf(got, name), valuesOf(headers, name));
    }
  });

  describe("with Envoy's tracer", () => {
    const path = (spans: readonly ReceivedSpan[], from: string): string[] => {
      const span = spans.find(({ spanId }) => spanId === from);
      return span
        ? [`${span.kind} ${byEnvoy(span) ? "envoy" : span.name}`, ...path(spans, span.parentSpanId)]
        : [from];
    };
    const whole = (spans: readonly ReceivedSpan[]) => spans.filter(byEnvoy).length >= 2 && spans.some(isRoot);

    test("off: client, router, upstream", async () => {
      const trace = newTrace();
      const sent = traceparentOf(await upstreamOf("plain", [client(trace)]));
      assert.deepEqual(path(await receiver.waitFor(trace), sent.span), [
        "CLIENT semantic_router.upstream.request",
        "SERVER semantic_router.request.received",
        parentId,
      ]);
    });

    for (const [name, headers] of [
      ["a client that traces", [client("replaced"), ["tracestate", "a=1,b=2"]]],
      ["a client that does not", []],
      ["a client whose request id is no UUID", [client("replaced"), ["x-request-id", "order-4712"]]],
    ] as readonly [string, Pair[]][]) {
      test(`on: ${name}, Envoy's ingress, Envoy's call, router, upstream`, async () => {
        const trace = newTrace();
        const own = headers.map(([key, value]): Pair => [key, value.replace("replaced", trace)]);
        const got = await upstreamOf("traced", own);
        const sent = traceparentOf(got);
        if (headers.length > 0) assert.equal(sent.trace, trace);
        const spans = await receiver.waitFor(sent.trace, whole);
        assert.deepEqual(path(spans, sent.span), [
          "CLIENT semantic_router.upstream.request",
          "SERVER semantic_router.request.received",
          "CLIENT envoy",
          "SERVER envoy",
          headers.length > 0 ? parentId : "",
        ]);
        assert.deepEqual(
          spans.flatMap(({ links }) => links),
          [],
        );
        assert.deepEqual(valuesOf(got, "tracestate"), valuesOf(own, "tracestate"));
      });
    }

    test("on, and propagating itself: upstream gets Envoy's span, and the router's is a sibling's child", async () => {
      const trace = newTrace();
      const sent = traceparentOf(await upstreamOf("propagating", [client(trace)]));
      const spans = await receiver.waitFor(trace, whole);
      assert.equal(sent.trace, trace);
      assert.deepEqual(path(spans, sent.span), ["SERVER envoy", parentId]);
      assert.deepEqual(path(spans, spans.find(isUpstreamSpan)!.spanId).slice(2), [
        "CLIENT envoy",
        "SERVER envoy",
        parentId,
      ]);
    });

    test("on: the caller's decision stands, and random_sampling, which goes by the request id, has no say", async () => {
      assert.equal(traceparentOf(await upstreamOf("unsampled", [])).flags, "01");
      assert.equal(traceparentOf(await upstreamOf("unsampled", [client(newTrace())])).flags, "01");
      const trace = newTrace();
      const sent = traceparentOf(await upstreamOf("unsampled", [client(trace, "00")]));
      assert.deepEqual([sent.trace, sent.flags], [trace, "00"]);
      // A later exchange whose spans are here: the earlier one's would be here too.
      const later = newTrace();
      await upstreamOf("traced", [client(later)]);
      await receiver.waitFor(later, whole);
      assert.deepEqual(
        receiver.spans.filter((span) => span.traceId === trace),
        [],
      );
    });
  });

  describe("sampling", () => {
    test("always_off leaves a valid traceparent, of the client's trace, that says so", async () => {
      const trace = newTrace();
      const got = await upstreamOf("off", [client(trace), ["tracestate", "a=1"]]);
      const { trace: kept, flags } = traceparentOf(got);
      assert.deepEqual([kept, flags, valuesOf(got, "tracestate")], [trace, "00", ["a=1"]]);
      assert.equal(traceparentOf(await upstreamOf("off", [client(trace, "03")])).flags, "02");
      assert.equal(traceparentOf(await upstreamOf("off", [])).flags, "02");
    });

    test("two processors side by side choose the same of 50 traces", async () => {
      const traces = Array.from({ length: 50 }, (_, i) => createHash("md5").update(`${i}`).digest("hex"));
      const chosenBy = (listener: Listener) =>
        Promise.all(
          traces.map(async (trace, i) => {
            // What the client chose does not count.
            const sent = traceparentOf(await upstreamOf(listener, [client(trace, i % 2 ? "01" : "00")]));
            assert.equal(sent.trace, trace);
            return sent.flags;
          }),
        );
      const [one, two] = await Promise.all([chosenBy("one"), chosenBy("two")]);
      assert.deepEqual(one, two);
      const share = one.filter((flags) => flags === "01").length;
      assert.ok(share > 5 && share < 30, `${share} of 50`);
    });
  });
});
