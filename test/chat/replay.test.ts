import assert from "node:assert/strict";
import { test } from "node:test";
import { readCompletion } from "../../src/chat/completion.ts";
import { modelList } from "../../src/chat/model-list.ts";
import { refusalCompletion } from "../../src/chat/refusal-completion.ts";
import { replayCompletion } from "../../src/chat/replay.ts";

const utf8 = new TextEncoder();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const json = (bytes: Uint8Array): unknown => JSON.parse(text(bytes));
const frames = (bytes: Uint8Array) => text(bytes).split("\n\n").filter(Boolean);
const parsed = (bytes: Uint8Array): unknown[] =>
  frames(bytes)
    .slice(0, -1)
    .map((frame) => JSON.parse(frame.replace(/^data: /, "")));

const USAGE = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 };
const FRESH = { id: "chatcmpl-new", createdSeconds: 42, includeUsage: true };
const HEAD = { id: "chatcmpl-new", object: "chat.completion.chunk", created: 42, model: "m" };

const chat = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 7,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "a\n\ndata: b" }, finish_reason: "stop" }],
  usage: USAGE,
};
const reasoned = {
  ...chat,
  system_fingerprint: "fp",
  choices: [
    {
      index: 0,
      message: { role: "assistant", reasoning_content: "hm", content: "a" },
      finish_reason: "stop",
    },
    { index: 1, message: { role: "assistant", content: "😀" }, finish_reason: "stop" },
  ],
};
const plain = {
  ...chat,
  id: "cmpl-1",
  object: "text_completion",
  choices: [{ index: 0, text: "a", finish_reason: "stop" }],
};

for (const [name, completion] of Object.entries({ chat, reasoned, plain })) {
  test(`${name}: JSON, replayed as a stream and read again, is the same JSON`, () => {
    const replay = replayCompletion(utf8.encode(JSON.stringify(completion)), "sse", FRESH);
    const reader = readCompletion({ contentType: replay.contentType, status: 200, keep: true });
    reader.chunk(replay.body, 0);
    const { storable, usage } = reader.end(true);
    assert.ok(storable);
    assert.deepEqual(json(storable), { ...completion, id: FRESH.id, created: 42 });
    assert.deepEqual(usage, { inputTokens: 9, outputTokens: 2, estimated: false });
  });

  test(`${name}: as JSON it keeps all but id and time`, () => {
    const replay = replayCompletion(utf8.encode(JSON.stringify(completion)), "json", FRESH);
    assert.equal(replay.contentType, "application/json");
    assert.deepEqual(json(replay.body), { ...completion, id: FRESH.id, created: 42 });
  });
}

test("a replayed stream", () => {
  const stored = utf8.encode(JSON.stringify(chat));
  const { contentType, body } = replayCompletion(stored, "sse", FRESH);
  assert.equal(contentType, "text/event-stream");
  assert.ok(text(body).endsWith("data: [DONE]\n\n"));
  const delta = { role: "assistant", content: "a\n\ndata: b" };
  assert.deepEqual(parsed(body), [
    { ...HEAD, choices: [{ index: 0, delta, finish_reason: null }], usage: null },
    { ...HEAD, choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: null },
    { ...HEAD, choices: [], usage: USAGE },
  ]);
  const quiet = parsed(replayCompletion(stored, "sse", { ...FRESH, includeUsage: false }).body);
  assert.equal(quiet.length, 2);
  assert.ok(quiet.every((frame) => !Object.hasOwn(frame as object, "usage")));
});

test("the usage is zero where it was never told", () => {
  const { usage: _, ...untold } = chat;
  const { body } = replayCompletion(utf8.encode(JSON.stringify(untold)), "sse", FRESH);
  const zeros = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  assert.deepEqual(parsed(body).at(-1), { ...HEAD, choices: [], usage: zeros });
});

test("what is not a completion is not replayed", () => {
  for (const stored of ["", "x", "[]", '{"object":"list"}']) {
    assert.throws(() => replayCompletion(utf8.encode(stored), "json", FRESH), /not a stored completion/);
  }
});

const REFUSAL = { model: "m", text: "no", createdSeconds: 42 } as const;

test("a refusal as JSON", () => {
  const options = { ...REFUSAL, kind: "pii_violation", endpoint: "chat", as: "json" } as const;
  const { contentType, body } = refusalCompletion(options);
  assert.equal(contentType, "application/json");
  assert.deepEqual(json(body), {
    id: "chatcmpl-pii-violation-42",
    object: "chat.completion",
    created: 42,
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content: "no" }, finish_reason: "content_filter" }],
    usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
  });
  assert.deepEqual(json(refusalCompletion({ ...options, endpoint: "completions" }).body), {
    id: "cmpl-pii-violation-42",
    object: "text_completion",
    created: 42,
    model: "m",
    choices: [{ index: 0, text: "no", finish_reason: "content_filter" }],
    usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
  });
});

test("a refusal as a stream is one frame and [DONE]", () => {
  const options = { ...REFUSAL, kind: "jailbreak_blocked", endpoint: "chat", as: "sse" } as const;
  const { contentType, body } = refusalCompletion(options);
  assert.equal(contentType, "text/event-stream");
  assert.equal(frames(body).at(-1), "data: [DONE]");
  const delta = { role: "assistant", content: "no" };
  const choices = [{ index: 0, delta, finish_reason: "content_filter" }];
  assert.deepEqual(parsed(body), [{ ...HEAD, id: "chatcmpl-jailbreak-blocked-42", choices }]);
});

test("the model list: the automatic name first, each name once, in the order given", () => {
  const entry = (id: string) => ({ id, object: "model", created: 42, owned_by: "vllm-semantic-router" });
  assert.deepEqual(json(modelList("auto", ["b", "a", "auto", "b"], 42)), {
    object: "list",
    data: [entry("auto"), entry("b"), entry("a")],
  });
});
