import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Backend } from "../../src/outcome.ts";
import { type UpstreamRequest, upstreamRequest } from "../../src/pipeline/upstream-request.ts";
import { asks, attributesOf, chatOf, newTrace, onlySpan } from "../support/pipeline.ts";

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
  upstream.end(complete);
  upstream.close({ reason: complete ? undefined : "ended_mid_response" });
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
    upstream.end(false);
    upstream.end(true);
    upstream.close({ reason: "again" });
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

test("an exchange that ends before any answer blames nobody, and says why", () => {
  const at = newTrace();
  const upstream = upstreamRequest(at, { operation: "chat", model: "m", backend: undefined });
  upstream.end(false);
  assert.equal(upstream.answered, false);
  upstream.close({ reason: "client_disconnect" });
  const { span, attributes } = onlySpan(at);
  assert.equal(span.error, "client_disconnect");
  assert.equal(attributes["error.type"], "client_disconnect");
  assert.equal(attributes["http.response.status_code"], undefined);
});

describe("what is asked for", () => {
  const parameters = (body: object) => {
    const { attributes } = play({}, { operation: "chat", model: "m", chat: asks("hello", body) });
    return Object.fromEntries(
      Object.entries(attributes).flatMap(([key, value]) =>
        key.startsWith("gen_ai.request.") && key !== "gen_ai.request.model" ? [[key.slice(15), value]] : [],
      ),
    );
  };
  const cases: readonly [string, object, object][] = [
    ["nothing", {}, {}],
    [
      "everything",
      {
        stream: true,
        max_tokens: 64,
        temperature: 0.7,
        top_p: 0.9,
        top_k: 40,
        frequency_penalty: -0.5,
        presence_penalty: 1,
        seed: -7,
        n: 3,
      },
      {
        stream: true,
        max_tokens: 64,
        temperature: 0.7,
        top_p: 0.9,
        top_k: 40,
        frequency_penalty: -0.5,
        presence_penalty: 1,
        seed: -7,
        "choice.count": 3,
      },
    ],
    ["what goes without saying", { stream: false, n: 1 }, {}],
    ["the newer limit", { max_tokens: 64, max_completion_tokens: 32 }, { max_tokens: 32 }],
    ["zero is something", { temperature: 0, max_tokens: 0 }, { temperature: 0, max_tokens: 0 }],
    [
      "no text, and nothing that holds some",
      { seed: "ann", temperature: ["ann"], top_p: { a: 1 }, top_k: true, n: null },
      {},
    ],
    [
      "no card or account either",
      { seed: 4111111111111111, top_k: 78051120, max_tokens: 4111111111111111 },
      { top_k: 78051120 },
    ],
    ["four decimals", { temperature: 0.4111111111111111, top_p: 411.1 }, { temperature: 0.4111 }],
  ];
  for (const [name, body, expected] of cases) {
    test(name, () => assert.deepEqual(parameters(body), expected));
  }

  test("is not read where nothing is recorded", () => {
    const at = newTrace({ flags: 0 });
    const chat = Object.defineProperty({ ...asks("hello") }, "root", { get: () => assert.fail("was read") });
    upstreamRequest(at, { operation: "chat", model: "m", chat, backend: undefined });
    assert.deepEqual(attributesOf(at.children[0]!), {});
  });
});

describe("content", () => {
  const long = "x".repeat(1000);
  /** What an answer says, as the recorder is told it. */
  const said = (response: Response, gatherChars = 4096) => {
    let heard: unknown;
    const content: UpstreamRequest["content"] = {
      prompt: [["gen_ai.input.messages", long]],
      gatherChars,
      answer: (choices) => {
        heard = choices;
        return [["gen_ai.output.messages", long]];
      },
    };
    const { attributes } = play(response, { operation: "chat", model: "m", content }, false);
    assert.equal(attributes["gen_ai.input.messages"], long, "not cut as names are");
    assert.equal(attributes["gen_ai.output.messages"], heard === undefined ? undefined : long);
    return heard;
  };
  const choice = (more: object) => ({
    index: 0,
    text: "",
    reasoning: "",
    calls: "",
    finishReason: undefined,
    ...more,
  });
  const delta = (more: object) => frame({ choices: [{ index: 0, delta: more, finish_reason: null }] });
  const message = (more: object, finish_reason = "stop") => ({
    chunks: [JSON.stringify({ ...completion, choices: [{ index: 0, message: more, finish_reason }] })],
  });
  const call = (name: string, args: string) => ({
    id: "1",
    type: "function",
    function: { name, arguments: args },
  });
  const cases: readonly [string, Response, unknown, number?][] = [
    ["JSON", {}, [choice({ text: "4", finishReason: "stop" })]],
    [
      "JSON of a completion",
      { chunks: [JSON.stringify({ choices: [{ index: 0, text: "four", finish_reason: "length" }] })] },
      [choice({ text: "four", finishReason: "length" })],
    ],
    [
      "reasoning",
      message({ reasoning_content: "2+2", content: "4" }),
      [choice({ reasoning: "2+2", text: "4", finishReason: "stop" })],
    ],
    [
      "tool calls",
      message({ content: null, tool_calls: [call("add", '{"a":1}'), call("sub", "{}")] }, "tool_calls"),
      [choice({ calls: 'add{"a":1}\nsub{}', finishReason: "tool_calls" })],
    ],
    [
      "a refusal",
      message({ content: null, refusal: "No." }),
      [choice({ text: "No.", finishReason: "stop" })],
    ],
    [
      "a stream",
      {
        type: sse,
        chunks: [delta({ role: "assistant", content: "fo" }), delta({ content: "ur" }) + last, done],
      },
      [choice({ text: "four", finishReason: "length" })],
    ],
    [
      "a stream of tool calls",
      {
        type: sse,
        chunks: [
          delta({ tool_calls: [{ index: 0, ...call("add", "") }] }),
          delta({ tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] }),
          delta({ tool_calls: [{ index: 0, function: { arguments: ":1}" } }] }) + done,
        ],
      },
      [choice({ calls: 'add{"a":1}' })],
    ],
    ["a stream that was cut", { type: sse, chunks: [word, word], complete: false }, [choice({ text: "xx" })]],
    [
      "several choices, in order",
      {
        type: sse,
        chunks: [
          frame({ choices: [{ index: 1, delta: { content: "b" } }] }),
          frame({ choices: [{ index: 0, delta: { content: "a" } }] }) + done,
        ],
      },
      [choice({ text: "a" }), choice({ index: 1, text: "b" })],
    ],
    [
      "a stream, up to the limit and a piece more",
      { type: sse, chunks: [word.repeat(50), done] },
      [choice({ text: "xxx" })],
      2,
    ],
    [
      "no error",
      { status: 400, chunks: ['{"error":{"message":"ann"},"choices":[{"text":"ann"}]}'] },
      undefined,
    ],
    ["nothing that cannot be read", { type: "text/html", chunks: ["<p>"] }, undefined],
    [
      "fields of other kinds",
      { chunks: ['{"choices":[{"message":{"content":{"a":1},"tool_calls":"x"}},7]}'] },
      [choice({})],
    ],
  ];
  for (const [name, response, expected, limit] of cases) {
    test(name, () => assert.deepEqual(said(response, limit), expected));
  }

  test("nothing is gathered where nobody asks", () => {
    const at = newTrace();
    const upstream = upstreamRequest(at, {
      operation: "chat",
      model: "m",
      chat: chatOf({ model: "m", messages: [{ role: "user", content: long }] }),
      backend: undefined,
    });
    upstream.responseHeaders({ status: 200, contentType: json });
    upstream.chunk(Buffer.from(JSON.stringify({ choices: [{ index: 0, message: { content: long } }] })), 1);
    upstream.end(true);
    assert.doesNotMatch(JSON.stringify(onlySpan(at).attributes), /xxx/);
  });
});
