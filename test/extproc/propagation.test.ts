import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { rowsOf, section } from "../docs/markdown.ts";
import { type Router, startRouter, transports, tree } from "../support/conversation.ts";
import { chat, completion, config, exchange, onEachTransport } from "../support/exchanges.ts";
import { headerMap, removedHeaders, sends, setHeaders } from "../support/ext-proc.ts";
import { mutated, type Pair, valuesOf } from "./header-mutation.ts";
import { parentId, traceId } from "./w3c/case.ts";
import { assertUpstream, traceparentOf } from "./w3c/upstream.ts";
import { pageRow, severalRequests, w3cCases } from "./w3c-cases.ts";

const plain = `
vllm_endpoints: [ { name: one, address: 127.0.0.1, port: 8001 } ]
model_config: { m: { preferred_endpoints: [one] } }
default_model: m
observability: { tracing: { enabled: true } }
`;
const body = { model: "m", messages: [{ role: "user", content: "hi" }] };

/** The ways to upstream: the verdict on the body, and the verdict on the headers alone. */
const ways = {
  "a chat": [sends.requestBody(body), sends.responseHeaders(200), sends.responseBody(completion)],
  "a request passed through": [sends.responseHeaders(200), sends.responseBody("{}")],
} as const;

/** What upstream gets of these headers. Envoy has put their names in lower case. */
async function upstreamOf(
  router: Router,
  way: keyof typeof ways,
  headers: readonly Pair[],
  metadata: Record<string, string> = {},
): Promise<Pair[]> {
  const opening = way === "a chat" ? sends.requestHeaders() : sends.get("/v1/other");
  const lower = headers.map(([name, value]): Pair => [name.toLowerCase(), value]);
  opening.request_headers.headers.headers.push(
    ...lower.flatMap(([name, value]) => headerMap({ [name]: value }).headers),
  );
  const { answers } = await router.play([opening, ...ways[way]], { metadata });
  return mutated(lower, answers);
}

for (const transport of transports) {
  describe(`W3C Trace Context Level 2, ${transport}`, () => {
    let router: Router;
    before(async () => {
      router = await startRouter(plain, transport);
    });
    after(() => router.stop());

    for (const way of Object.keys(ways) as (keyof typeof ways)[]) {
      describe(way, () => {
        let got: Pair[][];
        before(async () => {
          // At once: a play without spans is over only when none has come for a while.
          got = await Promise.all(w3cCases.map(({ headers }) => upstreamOf(router, way, headers)));
        });
        for (const [i, one] of w3cCases.entries()) test(one.name, () => assertUpstream(one, got[i]!));
      });
    }

    test("several requests with one traceparent, none, or a bad one: another parent id each", async () => {
      for (const [headers, trace] of [
        [[["traceparent", `00-${traceId}-${parentId}-01`]], traceId],
        [[], undefined],
        [[["traceparent", `00-${"0".repeat(32)}-${parentId}-01`]], undefined],
      ] as readonly (readonly [Pair[], string | undefined])[]) {
        const sent = [1, 2, 3].map(() => upstreamOf(router, "a chat", headers));
        const got = (await Promise.all(sent)).map(traceparentOf);
        assert.equal(new Set(got.map(({ span }) => span)).size, 3);
        assert.equal(new Set(got.map((one) => one.trace)).size, trace === undefined ? 3 : 1);
        if (trace !== undefined) assert.equal(got[0]!.trace, trace);
      }
    });

    test("baggage is neither added, nor removed, nor changed", async () => {
      for (const baggage of [[], ["user=1;p=2, x = y"], ["a=1", "b=2"], ["", "not baggage, ,"]]) {
        const headers = baggage.map((value): Pair => ["baggage", value]);
        for (const way of Object.keys(ways) as (keyof typeof ways)[])
          assert.deepEqual(valuesOf(await upstreamOf(router, way, headers), "baggage"), baggage);
      }
    });

    test("a bad context in the gRPC metadata is as good as none", async () => {
      const headers: Pair[] = [["traceparent", `00-${traceId}-${parentId}-01`]];
      const bad = { traceparent: `00-${"c".repeat(32)}-${"0".repeat(16)}-01` };
      assert.equal(traceparentOf(await upstreamOf(router, "a chat", headers, bad)).trace, traceId);
    });
  });
}

test("the state of another trace does not go with the metadata's", async () => {
  const router = await startRouter(plain, "over gRPC");
  const client: Pair[] = [
    ["traceparent", `00-${traceId}-${parentId}-01`],
    ["tracestate", "client=1"],
  ];
  const envoy = { traceparent: `00-${"c".repeat(32)}-${"d".repeat(16)}-03`, tracestate: "envoy=1" };
  const both = await upstreamOf(router, "a chat", client, envoy);
  assert.deepEqual(
    [traceparentOf(both).trace, traceparentOf(both).flags, valuesOf(both, "tracestate")],
    ["c".repeat(32), "03", ["envoy=1"]],
  );
  const stateless = await upstreamOf(router, "a chat", client, { traceparent: envoy.traceparent });
  assert.deepEqual([traceparentOf(stateless).trace, valuesOf(stateless, "tracestate")], ["c".repeat(32), []]);
  await router.stop();
});

/** Flags upstream for a client without a traceparent, with 01, with 00, and with 03. */
const decisions: readonly [name: string, sampling: string, flags: readonly string[]][] = [
  ["always_on", "type: always_on", ["03", "01", "00", "03"]],
  ["always_off", "type: always_off", ["02", "01", "00", "03"]],
  ["rate 0", "type: probabilistic, rate: 0", ["02", "01", "00", "03"]],
  ["rate 1", "type: probabilistic, rate: 1", ["03", "01", "00", "03"]],
  ["always_on for itself", "type: always_on, parent_based: false", ["03", "01", "01", "03"]],
  ["always_off for itself", "type: always_off, parent_based: false", ["02", "00", "00", "02"]],
  ["rate 0 for itself", "type: probabilistic, rate: 0, parent_based: false", ["02", "00", "00", "02"]],
  ["rate 1 for itself", "type: probabilistic, rate: 1, parent_based: false", ["03", "01", "01", "03"]],
];

describe("sampling decides about flags and spans alike", { concurrency: true }, () => {
  for (const [name, sampling, expected] of decisions) {
    test(name, async () => {
      const yaml = plain.replace("enabled: true", `enabled: true, sampling: { ${sampling} }`);
      const router = await startRouter(yaml, "in memory");
      const play = async (sent: string, flags: string) => {
        const traceparent = `00-${traceId}-${parentId}-${sent}`;
        const opening = sends.get("/v1/other", sent === "" ? {} : { traceparent });
        const { answers, spans } = await router.play([opening, ...ways["a request passed through"]]);
        const got = traceparentOf(mutated([], answers));
        assert.deepEqual([got.flags, got.trace === traceId], [flags, sent !== ""], `client: ${sent}`);
        assert.equal(spans.length, /[13]/.test(flags) ? 2 : 0, `client: ${sent}`);
      };
      const pairs = ["", "01", "00", "03"].map((sent, i) => [sent, expected[i]!] as const);
      for (const [sent, flags] of pairs) if (/[13]/.test(flags)) await play(sent, flags);
      // At once: each waits a while for spans that must not come.
      await Promise.all(pairs.filter(([, flags]) => !/[13]/.test(flags)).map((pair) => play(...pair)));
      await router.stop();
    });
  }
});

test("docs/w3c-trace-context.md has every case, and all 41 tests of the W3C suite have one", () => {
  const suite = new Set([...w3cCases.flatMap((one) => one.suite ?? []), ...severalRequests]);
  assert.equal(suite.size, 41);
  assert.equal(new Set(w3cCases.map(({ name }) => name)).size, w3cCases.length, "names are unique");
  assert.deepEqual(rowsOf(section("docs/w3c-trace-context.md", "## Cases")), w3cCases.map(pageRow));
});

onEachTransport("propagation", (router) => {
  test("parent: gRPC metadata before headers, the other one as a link", async () => {
    const client = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const envoy = `00-${"c".repeat(32)}-${"d".repeat(16)}-01`;
    const both = await router.play([sends.get("/v1/models", { traceparent: client })], {
      metadata: { traceparent: envoy },
    });
    assert.equal(both.spans[0]!.spanContext().traceId, "c".repeat(32));
    assert.equal(both.spans[0]!.parentSpanContext?.spanId, "d".repeat(16));
    assert.equal(both.spans[0]!.links[0]?.context.traceId, "a".repeat(32));
    assert.equal(both.spans[0]!.links[0]?.context.spanId, "b".repeat(16));
    const one = await router.play([sends.get("/v1/models", { traceparent: client })]);
    assert.equal(one.spans[0]!.spanContext().traceId, "a".repeat(32));
    assert.equal(one.spans[0]!.links.length, 0);
    const same = await router.play([sends.get("/v1/models", { traceparent: client })], {
      metadata: { traceparent: client.replaceAll("b", "e") },
    });
    assert.equal(same.spans[0]!.parentSpanContext?.spanId, "e".repeat(16));
    assert.equal(same.spans[0]!.links.length, 0);
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
