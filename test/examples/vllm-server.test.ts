import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Env, startProvider, targetOf } from "../../examples/opentelemetry/lib/otlp.ts";
import { readSettings, startVllmServer, type VllmServer } from "../../examples/opentelemetry/vllm_server.ts";
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from "../../scripts/demo/otlp-receiver.ts";
import { LLM, named } from "./joined.ts";
import { caller, type Headers, post } from "./raw.ts";
import { protocols, SMALL, variables } from "./stage.ts";

const PROTOCOL = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
const INSECURE = "OTEL_EXPORTER_OTLP_TRACES_INSECURE";
const question = (more: object = {}) => ({
  model: SMALL,
  messages: [{ role: "user", content: "Hi" }],
  ...more,
});

describe("where spans go", () => {
  const http = { [PROTOCOL]: "http/protobuf" };
  const rows: readonly (readonly [endpoint: string, env: Env, url: string])[] = [
    ["localhost:4317", {}, "https://localhost:4317"],
    ["localhost:4317", { [INSECURE]: "true" }, "http://localhost:4317"],
    ["grpc://10.0.0.9:4317", {}, "https://10.0.0.9:4317"],
    ["grpc://10.0.0.9:4317", { [INSECURE]: "True" }, "http://10.0.0.9:4317"],
    ["grpc://10.0.0.9:4317", { OTEL_EXPORTER_OTLP_INSECURE: "true" }, "http://10.0.0.9:4317"],
    [
      "grpc://10.0.0.9:4317",
      { [INSECURE]: "false", OTEL_EXPORTER_OTLP_INSECURE: "true" },
      "https://10.0.0.9:4317",
    ],
    ["http://jaeger:4317/dropped", {}, "http://jaeger:4317"],
    ["https://jaeger:4317", { [INSECURE]: "true" }, "https://jaeger:4317"],
    ["http://[::1]:4317", {}, "http://[::1]:4317"],
    ["", {}, "http://localhost:4317"],
    ["http://jaeger:4318/v1/traces", http, "http://jaeger:4318/v1/traces"],
    ["http://jaeger:4318", http, "http://jaeger:4318"],
    ["", http, "http://localhost:4318/v1/traces"],
    ["jaeger:4317", { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" }, "https://jaeger:4317"],
  ];
  for (const [endpoint, env, url] of rows) {
    test(`"${endpoint}" with ${JSON.stringify(env)}: ${url}`, () =>
      assert.equal(targetOf(endpoint, env).url, url));
  }
  const faults: readonly (readonly [endpoint: string, env: Env, says: RegExp])[] = [
    ["localhost:4317", { [PROTOCOL]: "http/json" }, /_PROTOCOL=http\/json is not known: write grpc or/],
    ["grpc://localhost:4318", http, /grpc:\/\/localhost:4318 is no URL for http\/protobuf: write http:/],
    ["localhost", {}, /localhost is no endpoint for gRPC: write HOST:4317/],
  ];
  for (const [endpoint, env, says] of faults) {
    test(`"${endpoint}" with ${JSON.stringify(env)} is refused`, () =>
      assert.throws(() => targetOf(endpoint, env), says));
  }

  test("the service is unknown until a variable names it", async () => {
    const resourceFor = (env: Env): object => {
      const provider = startProvider("http://localhost:1", env);
      const { resource } = provider.getTracer("x").startSpan("x") as unknown as {
        resource: { attributes: object };
      };
      return resource.attributes;
    };
    const attributes = "service.name=by%20list,team=a";
    assert.deepEqual(resourceFor({}), { "service.name": "unknown_service" });
    assert.deepEqual(resourceFor({ OTEL_RESOURCE_ATTRIBUTES: attributes }), {
      "service.name": "by list",
      team: "a",
    });
    assert.deepEqual(
      resourceFor({ OTEL_RESOURCE_ATTRIBUTES: attributes, OTEL_SERVICE_NAME: "vllm-server" }),
      {
        "service.name": "vllm-server",
        team: "a",
      },
    );
  });
});

for (const protocol of protocols) {
  describe(`llm_request, over ${protocol}`, () => {
    let receiver: OtlpReceiver;
    let server: VllmServer;
    let url: string;
    before(async () => {
      receiver = await startOtlpReceiver();
      const env: Record<string, string> = {
        ...variables(protocol, receiver),
        OTEL_SERVICE_NAME: "vllm-server",
      };
      const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT!;
      server = await startVllmServer(
        readSettings([SMALL, "--port=0", "--otlp-traces-endpoint", endpoint], env),
      );
      url = `http://127.0.0.1:${server.port}`;
    });
    after(async () => {
      await server?.stop();
      await receiver?.stop();
    });
    const spansOf = async (body: object, headers: Headers, count = 1): Promise<ReceivedSpan[]> => {
      const from = caller();
      assert.equal((await post(url, body, { traceparent: from.traceparent, ...headers })).status, 200);
      const spans = await receiver.waitFor(from.traceId, (all) => all.length >= count);
      for (const span of spans) assert.equal(span.parentSpanId, from.spanId);
      return spans;
    };

    test("has the name, the kind and exactly the attributes of vLLM's V1 engine, latencies in seconds", async () => {
      const body = question({ temperature: 0.5, top_p: 0.9, max_tokens: 4, n: 1 });
      const [span] = await spansOf(body, { "X-Request-Id": "abc" });
      assert.ok(span);
      assert.equal(span.name, LLM);
      assert.equal(span.kind, "SERVER");
      assert.equal(span.status.code, "UNSET");
      assert.equal(span.resource["service.name"], "vllm-server");
      const latency = (name: string) => Number(span.attributes[`gen_ai.latency.${name}`]);
      const { attributes } = span;
      const plain = Object.entries(attributes).filter(([name]) => !name.startsWith("gen_ai.latency."));
      assert.deepEqual(Object.fromEntries(plain), {
        "gen_ai.request.id": "chatcmpl-abc",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.max_tokens": 4,
        "gen_ai.request.n": 1,
        "gen_ai.usage.prompt_tokens": 1,
        "gen_ai.usage.completion_tokens": 4,
      });
      assert.deepEqual(
        Object.keys(attributes)
          .filter((name) => name.startsWith("gen_ai.latency."))
          .sort(),
        [
          "e2e",
          "time_in_model_decode",
          "time_in_model_inference",
          "time_in_model_prefill",
          "time_in_queue",
          "time_to_first_token",
        ].map((name) => `gen_ai.latency.${name}`),
      );
      const whole = Number(span.endNs - span.startNs) / 1e9;
      const about = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);
      about(latency("e2e"), whole);
      about(latency("time_in_queue") + latency("time_in_model_inference"), whole);
      about(
        latency("time_in_model_prefill") + latency("time_in_model_decode"),
        latency("time_in_model_inference"),
      );
      about(latency("time_in_queue") + latency("time_in_model_prefill"), latency("time_to_first_token"));
    });

    test("what is zero or not asked for is left out; whole doubles stay doubles", async () => {
      const [span] = await spansOf(question({ temperature: 0, top_p: 1, max_tokens: 1 }), {});
      assert.ok(span);
      assert.equal(span.attributes["gen_ai.request.temperature"], undefined);
      const doubles = Object.entries(span.attributes).filter(([name]) => /latency|top_p/.test(name));
      assert.equal(doubles.length, 7);
      for (const [name, value] of doubles) assert.equal(Number.isInteger(value), false, name);
      assert.ok(Math.abs(Number(span.attributes["gen_ai.request.top_p"]) - 1) < 1e-9);
    });

    test("the first line of traceparent counts, whatever follows; without one there is a new trace", async () => {
      const [first, second] = [caller(), caller()];
      await post(url, question(), { traceparent: [first.traceparent, second.traceparent] });
      await post(url, question(), { "x-request-id": "alone" });
      const [span] = await receiver.waitFor(first.traceId, (all) => all.length > 0);
      assert.equal(span?.parentSpanId, first.spanId);
      const root = await receiver.waitForSpan(
        ({ attributes }) => attributes["gen_ai.request.id"] === "chatcmpl-alone",
      );
      assert.equal(root.parentSpanId, "");
      assert.ok(![first.traceId, second.traceId].includes(root.traceId));
      assert.deepEqual(
        receiver.spans.filter(({ traceId }) => traceId === second.traceId),
        [],
      );
    });

    test("completions: a span for each prompt, by index, and for each choice", async () => {
      const from = caller();
      const answer = await fetch(`${url}/v1/completions`, {
        method: "POST",
        headers: { traceparent: from.traceparent, "x-request-id": "two" },
        body: JSON.stringify({ model: SMALL, prompt: ["one", "another"], n: 2, max_tokens: 2 }),
      });
      const { id, choices } = (await answer.json()) as { id: string; choices: unknown[] };
      assert.equal(id, "cmpl-two");
      assert.equal(choices.length, 4);
      const spans = await receiver.waitFor(from.traceId, (all) => all.length >= 4);
      assert.deepEqual(
        spans.map(({ attributes }) => attributes["gen_ai.request.id"]),
        ["cmpl-two-0", "cmpl-two-0", "cmpl-two-1", "cmpl-two-1"],
      );
    });

    test("refused and aborted requests have none", async () => {
      const before = receiver.spans.length;
      assert.equal((await post(url, question({ model: "gpt-9" }))).status, 404);
      const leave = new AbortController();
      const sent = fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        body: JSON.stringify(question()),
        signal: leave.signal,
      });
      const seen = server.requests.length;
      while (server.requests.length === seen) await sleep(1);
      leave.abort();
      await assert.rejects(sent);
      while (server.requests.at(-1)?.state === "running") await sleep(5);
      assert.equal(server.requests.at(-1)?.state, "aborted");
      // What comes later has come: nothing is on its way any more.
      await spansOf(question(), {});
      assert.equal(named(receiver.spans, LLM).length, before + 1);
    });
  });
}

test("tracing off: nothing but one warning, and only if a request carries a context", async () => {
  const warnings: string[] = [];
  const settings = readSettings(["--port", "0"], {});
  await using server = await startVllmServer({ ...settings, warn: (line) => warnings.push(line) });
  const url = `http://127.0.0.1:${server.port}`;
  assert.equal((await post(url, question())).status, 200);
  assert.deepEqual(warnings, []);
  for (let i = 0; i < 2; i++) await post(url, question(), { traceparent: caller().traceparent });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /tracing is off: see --otlp-traces-endpoint/);
});

test("the other doors: models and health", async () => {
  await using server = await startVllmServer(readSettings(["--port=0", "--served-model-name", "a"], {}));
  const get = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
  assert.equal((await get("/health")).status, 200);
  assert.match(await (await get("/v1/models")).text(), /"id":"a"/);
  assert.equal((await get("/v1/other")).status, 404);
});

test("a command line it does not know is refused", () => {
  assert.throws(() => readSettings(["--no-such-flag"], {}), /no-such-flag/);
  assert.throws(() => readSettings(["--port", "x"], {}), /--port x is not a number/);
});
