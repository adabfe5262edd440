import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Backend } from "../../src/outcome.ts";
import { type UpstreamRequest, upstreamRequest } from "../../src/pipeline/upstream-request.ts";
import { newTrace, onlySpan } from "../support/pipeline.ts";

const json = "application/json";
const sse = "text/event-stream";
const completion = {
  id: "c-1",
  object: "chat.completion",
  created: 1,
  model: "m-0613",
  choices: [{ index: 0, message: { role: "assistant", content: "4" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 9, completion_tokens: 2 },
};
const head = { id: "c-2", object: "chat.completion.chunk", created: 1, model: "m" };
const frame = (more: object) => `data: ${JSON.stringify({ ...head, ...more })}\n\n`;
const word = frame({ choices: [{ index: 0, delta: { content: "x" }, finish_reason: null }] });
const last = frame({ choices: [{ index: 0, delta: {}, finish_reason: "length" }] });
const usage = frame({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 7 } });
const done = "data: [DONE]\n\n";

interface Response {
  readonly status?: number;
  readonly type?: string;
  readonly chunks?: readonly string[];
  readonly complete?: boolean;
}

/** One upstream response, whole; what was reported of the endpoint and stored in the cache. */
function play(
  { status = 200, type = json, chunks = [JSON.stringify(completion)], complete = true }: Response,
  request: Omit<UpstreamRequest, "backend" | "store"> = { operation: "chat", model: "m" },
  keep = true,
) {
  const at = newTrace();
  const reports: boolean[] = [];
  const stored: unknown[] = [];
  const backend: Backend = {
    name: "one",
    address: "::1",
    port: 8001,
    hostPort: "[::1]:8001",
    report: (ok) => reports.push(ok),
  };
  const upstream = upstreamRequest(at, {
    ...request,
    backend,
    store: keep ? (bytes) => stored.push(JSON.parse(Buffer.from(bytes).toString())) : undefined,
  });
  const span = at.children[0]!;
  upstream.responseHeaders({ status, contentType: type, codeDetails: "via_upstream" });
  chunks.forEach((chunk, i) => {
    upstream.chunk(Buffer.from(chunk), span.startMs + 250 * (i + 1));
  });
  upstream.end(complete, "ended_mid_response");
  return { upstream, reports, stored, ...onlySpan(at) };
}

/** What it says of the answer; the time to the first chunk rounded, for it is a difference of clock readings. */
const outcome = (attributes: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(attributes)
      .filter(([key]) => key.startsWith("gen_ai.response.") || key.startsWith("gen_ai.usage."))
      .map(([key, value]) => [
        key.slice("gen_ai.".length),
        key.endsWith("chunk") ? Number(Number(value).toFixed(6)) : value,
      ]),
  );

test("what is sent is on the span from the start", () => {
  const { span, attributes, upstream } = play({ chunks: [] });
  assert.equal(span.kind, "client");
  assert.equal(upstream.spanId, span.spanId);
  assert.deepEqual(attributes, {
    "model.name": "m",
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "vllm",
    "gen_ai.request.model": "m",
    "endpoint.name": "one",
    "server.address": "::1",
    "server.port": 8001,
    "http.response.status_code": 200,
    "response.code_details": "via_upstream",
  });
});

describe("what comes back", () => {
  const told = { "response.id": "c-2", "response.model": "m", "response.time_to_first_chunk": 0.25 };
  const whole = { ...told, "usage.input_tokens": 3, "usage.output_tokens": 7 };
  const cases: readonly [string, Response, object, string?][] = [
    [
      "JSON",
      {},
      {
        "response.id": "c-1",
        "response.model": "m-0613",
        "response.finish_reasons": ["stop"],
        "response.time_to_first_chunk": 0.25,
        "usage.input_tokens": 9,
        "usage.output_tokens": 2,
      },
    ],
    [
      "a stream that tells its usage",
      { type: sse, chunks: [word, word + last, usage + done] },
      { ...whole, "response.finish_reasons": ["length"] },
    ],
    [
      "a stream that does not: its frames are counted",
      { type: `${sse}; charset=utf-8`, chunks: [word + word, word, last + done] },
      { ...told, "response.finish_reasons": ["length"], "usage.output_tokens": 3, "usage.estimated": true },
    ],
    [
      "a stream that was cut: an estimate, and it says so",
      { type: sse, chunks: [word, word], complete: false },
      { ...told, "usage.output_tokens": 2, "usage.estimated": true },
      "ended_mid_response",
    ],
    [
      "a stream that was cut after its usage",
      { type: sse, chunks: [word, last, usage], complete: false },
      { ...whole, "response.finish_reasons": ["length"] },
      "ended_mid_response",
    ],
    ["no body", { chunks: [] }, {}],
    [
      "a body that is neither",
      { type: "text/html", chunks: ["<p>"] },
      { "response.time_to_first_chunk": 0.25 },
    ],
    ["an error", { status: 429, chunks: ["{}"] }, {}, "HTTP 429"],
    ["JSON that is none", { chunks: ["{"] }, { "response.time_to_first_chunk": 0.25 }],
  ];
  for (const [name, response, expected, error] of cases) {
    test(name, () => {
      const { span, attributes } = play(response);
      assert.deepEqual(outcome(attributes), expected);
      assert.equal(span.error, error);
      assert.equal(attributes["error.type"], error?.replace("HTTP ", ""));
    });
  }

  test("nothing is read of what is no LLM call", () => {
    const { attributes } = play({}, { model: "m" });
    assert.deepEqual(outcome(attributes), {});
    assert.equal(attributes["gen_ai.request.model"], undefined);
    assert.equal(attributes["model.name"], "m");
  });
});

describe("what is stored", () => {
  const stream = { type: sse, chunks: [word, last, done] };
  const cases: readonly [string, Response, boolean][] = [
    ["a whole JSON completion", {}, true],
    [
      "a whole stream",
      {
        type: sse,
        chunks: [word, frame({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }), done],
      },
      true,
    ],
    ["not a stream that was cut", { ...stream, complete: false }, false],
    ["not a stream without its end", { type: sse, chunks: [word, last] }, false],
    ["not JSON that was cut", { complete: false }, false],
    ["not an error with a completion's face", { status: 500 }, false],
    ["not a redirect", { status: 302 }, false],
    ["not another 2xx", { status: 206 }, false],
    ["not an error object with status 200", { chunks: ['{"error":{"message":"no"}}'] }, false],
  ];
  for (const [name, response, expected] of cases) {
    test(name, () => assert.equal(play(response).stored.length, expected ? 1 : 0));
  }

  test("not without a pen", () => {
    assert.deepEqual(play({}, { operation: "chat", model: "m" }, false).stored, []);
  });

  test("once, whole, whoever ends it again", () => {
    const { upstream, stored, span } = play({});
    const { endMs } = span;
    upstream.end(false, "again");
    upstream.end(true);
    assert.deepEqual(stored.length, 1);
    assert.equal((stored[0] as typeof completion).choices[0]?.message.content, "4");
    assert.deepEqual([span.endMs, span.error], [endMs, undefined]);
  });
});

test("what the endpoint's health is told", () => {
  const reports = [200, 204, 302, 400, 404, 429, 500, 502, 503, 504].map((status) => [
    status,
    play({ status }).reports,
  ]);
  assert.deepEqual(Object.fromEntries(reports), {
    200: [true],
    204: [true],
    302: [true],
    // The client's doing, or the model's: neither praise nor blame.
    400: [],
    404: [],
    429: [],
    500: [],
    502: [false],
    503: [false],
    504: [false],
  });
});

test("an exchange that ends before any answer is aborted, and blames nobody", () => {
  const at = newTrace();
  const upstream = upstreamRequest(at, { operation: "chat", model: "m", backend: undefined });
  upstream.end(false);
  const { span, attributes } = onlySpan(at);
  assert.equal(span.error, "aborted");
  assert.equal(attributes["error.type"], "aborted");
  assert.equal(attributes["http.response.status_code"], undefined);
});
