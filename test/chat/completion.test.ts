import assert from "node:assert/strict";
import { test } from "node:test";
import { type Completion, type ReadOptions, readCompletion } from "../../src/chat/completion.ts";

const utf8 = new TextEncoder();
const CHAT = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 7, model: "m" };
const USAGE = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 };

type Options = Partial<ReadOptions> & { readonly complete?: boolean };

function read(
  pieces: readonly (string | Uint8Array)[],
  { complete = true, ...options }: Options = {},
): Completion {
  const reader = readCompletion({ contentType: "text/event-stream", status: 200, keep: true, ...options });
  for (const [at, piece] of pieces.entries()) {
    reader.chunk(typeof piece === "string" ? utf8.encode(piece) : piece, 100 + at);
  }
  return reader.end(complete);
}

const readJson = (body: unknown, options: Options = {}) =>
  read([typeof body === "string" ? body : JSON.stringify(body)], {
    contentType: "application/json",
    ...options,
  });

const stored = ({ storable }: Completion): unknown =>
  storable && JSON.parse(new TextDecoder().decode(storable));

const sse = (...frames: readonly unknown[]) =>
  frames.map((frame) => `data: ${typeof frame === "string" ? frame : JSON.stringify(frame)}\n\n`).join("");

const delta = (fields: object, finish_reason: string | null = null, index = 0) => ({
  ...CHAT,
  choices: [{ index, delta: fields, logprobs: null, finish_reason }],
});

const HELLO = [
  delta({ role: "assistant", content: "" }),
  delta({ content: "Hé" }),
  delta({ content: "llo 😀" }),
];
const END = delta({}, "stop");
const COUNTED = { ...CHAT, choices: [], usage: USAGE };
const WHOLE = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 7,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "Héllo 😀" }, finish_reason: "stop" }],
};
const ANSWER = { ...WHOLE, usage: USAGE };
const REPORTED = { inputTokens: 9, outputTokens: 2, estimated: false };

test("a stream is the same completion wherever it is cut into chunks", () => {
  const bytes = utf8.encode(sse(...HELLO, END, COUNTED, "[DONE]"));
  for (let cut = 1; cut < bytes.length; cut++) {
    const completion = read([bytes.subarray(0, cut), bytes.subarray(cut)]);
    assert.deepEqual(stored(completion), ANSWER, `cut at ${cut}`);
    assert.deepEqual(completion.usage, REPORTED);
  }
  const { storable, ...told } = read([new Uint8Array(0), bytes, new Uint8Array(0)]);
  assert.ok(storable);
  assert.deepEqual(told, {
    form: "sse",
    id: "chatcmpl-1",
    model: "m",
    finishReasons: ["stop"],
    usage: REPORTED,
    done: true,
    firstChunkAtMs: 101,
    chunks: 1,
  });
});

test("what is told is the same whether the completion is kept or not", () => {
  const spaced = sse(...HELLO, END, COUNTED).replaceAll('":', '": ');
  for (const stream of [sse(...HELLO, END, COUNTED, "[DONE]"), sse(...HELLO), `${spaced}data: [DONE]\n\n`]) {
    const { storable: _, ...kept } = read([stream]);
    assert.deepEqual(read([stream], { keep: false }), kept);
  }
});

const tokens = (completion_tokens: number) => ({ prompt_tokens: 9, completion_tokens });
/** A frame that says something and counts what was said so far; one that only counts. */
const running = (count: number, index = 0) => ({
  ...delta({ content: "a" }, null, index),
  usage: tokens(count),
});
const counted = (count: number) => ({ ...COUNTED, usage: tokens(count) });
const guess = (outputTokens: number) => ({ inputTokens: 9, outputTokens, estimated: true });

/** Name, frames, whether whole, what is told, choices asked for. */
type UsageRow = readonly [string, readonly unknown[], boolean, Completion["usage"], number?];
const usages: readonly UsageRow[] = [
  ["after the finish", [...HELLO, END, COUNTED, "[DONE]"], true, REPORTED],
  ["before the finish", [...HELLO, COUNTED, END, "[DONE]"], true, REPORTED],
  ["in the finish frame", [...HELLO, { ...END, usage: USAGE }, "[DONE]"], true, REPORTED],
  [
    "null in every frame",
    HELLO.map((f) => ({ ...f, usage: null })),
    true,
    { outputTokens: 2, estimated: true },
  ],
  ["never told", [...HELLO, END, "[DONE]"], true, { outputTokens: 2, estimated: true }],
  ["cut before it", HELLO, false, { outputTokens: 2, estimated: true }],
  ["cut after it", [...HELLO, END, COUNTED], false, REPORTED],
  ["cut after the finish that told it", [...HELLO, { ...END, usage: USAGE }], false, REPORTED],
  ["cut after the frame that comes last, no finish seen", [...HELLO, COUNTED], false, REPORTED],
  ["cut after [DONE]", [...HELLO, { ...delta({ content: "a" }), usage: USAGE }, "[DONE]"], false, REPORTED],
  ["running counts, cut", [running(1)], false, guess(1)],
  ["running counts, cut after a finish without", [running(1), running(2), END], false, guess(2)],
  ["running counts, whole", [running(1), running(2), END], true, { ...guess(2), estimated: false }],
  ["running counts in frames of their own, cut", [counted(1), delta({ content: "a" })], false, guess(1)],
  [
    "running counts, cut after one of two had finished",
    [running(1), running(2, 1), { ...END, usage: tokens(3) }, running(4, 1)],
    false,
    guess(4),
    2,
  ],
  [
    "running counts, cut at the finish of one of two",
    [running(1), running(2, 1), { ...END, usage: tokens(3) }],
    false,
    guess(3),
    2,
  ],
  [
    "running counts, cut after both had finished",
    [running(1), END, running(2, 1), { ...delta({}, "stop", 1), usage: tokens(3) }],
    false,
    { ...guess(3), estimated: false },
    2,
  ],
  [
    "running counts, cut after both had finished, the last without",
    [running(1), { ...END, usage: tokens(2) }, running(3, 1), delta({}, "stop", 1)],
    false,
    guess(3),
    2,
  ],
  [
    "reasoning and tool calls count",
    [delta({ reasoning: "a" }), delta({ tool_calls: [{ function: { arguments: "{" } }] })],
    false,
    { outputTokens: 2, estimated: true },
  ],
  ["after too many broken frames", [...Array(20).fill("{"), COUNTED], true, undefined],
  ["nonsense", [{ ...COUNTED, usage: { prompt_tokens: -1, completion_tokens: "2" } }], true, undefined],
  [
    "quoted by the model",
    [delta({ content: '"usage":{"prompt_tokens":1}' })],
    true,
    { outputTokens: 1, estimated: true },
  ],
];

for (const [name, frames, complete, usage, choices] of usages) {
  test(`usage ${name}`, () => {
    assert.deepEqual(read([sse(...frames)], { complete, choices }).usage, usage);
    assert.deepEqual(read([sse(...frames)], { complete, choices, keep: false }).usage, usage);
  });
}

const tool = { index: 0, id: "t", type: "function", function: { name: "f", arguments: "{}" } };
const unfit: readonly (readonly [string, string, Options?])[] = [
  ["cut after [DONE]", sse(...HELLO, END, "[DONE]"), { complete: false }],
  ["no [DONE]", sse(...HELLO, END)],
  ["no finish", sse(...HELLO, "[DONE]")],
  ["finished by length", sse(...HELLO, delta({}, "length"), "[DONE]")],
  ["an error frame", sse(...HELLO, { error: { message: "x", code: 500 } }, END, "[DONE]")],
  ["an error event", `${sse(...HELLO, END)}event: error\n${sse(COUNTED, "[DONE]")}`],
  ["a broken frame", sse(...HELLO, '{"id":', END, "[DONE]")],
  ["a tool call", sse(...HELLO, delta({ tool_calls: [tool] }), END, "[DONE]")],
  ["an unknown delta", sse(...HELLO, delta({ audio: { data: "x" } }), END, "[DONE]")],
  ["one of two choices unfinished", sse(...HELLO, delta({ content: "b" }, null, 1), END, "[DONE]")],
  ["nothing said", sse(delta({ role: "assistant", content: "" }), END, "[DONE]")],
  [
    "log probabilities",
    sse(
      { ...CHAT, choices: [{ index: 0, delta: { content: "a" }, logprobs: { content: [] } }] },
      END,
      "[DONE]",
    ),
  ],
  ["an index out of range", sse(...HELLO, delta({ content: "b" }, "stop", 1e9), END, "[DONE]")],
  ["not wanted", sse(...HELLO, END, "[DONE]"), { keep: false }],
  ["not a success", sse(...HELLO, END, "[DONE]"), { status: 500 }],
  ["over the limit", sse(...HELLO, delta({ content: "x".repeat(500) }), END, "[DONE]"), { limitBytes: 400 }],
  [
    "text over the limit",
    sse(...Array(50).fill(delta({ content: "0123456789" })), END, "[DONE]"),
    { limitBytes: 400 },
  ],
];

for (const [name, stream, options] of unfit) {
  test(`a stream is not stored: ${name}`, () => assert.equal(read([stream], options).storable, undefined));
}

test("two choices, reasoning, a last frame without its blank line", () => {
  const stream = sse(
    delta({ role: "assistant", content: "" }, null, 1),
    delta({ reasoning: "hm" }),
    delta({ content: "b", tool_calls: [] }, null, 1),
    delta({ content: "a" }),
    delta({}, "stop", 1),
    END,
  );
  assert.deepEqual(stored(read([`${stream}data: [DONE]`])), {
    ...WHOLE,
    choices: [
      { index: 0, message: { role: "assistant", reasoning: "hm", content: "a" }, finish_reason: "stop" },
      { index: 1, message: { role: "assistant", content: "b" }, finish_reason: "stop" },
    ],
  });
});

test("a finish reason that nobody knows is told as other", () => {
  const odd = "ann@example.com";
  const choices = [null, odd, "stop", "tool_calls", 7, ""].map((finish_reason, index) => ({
    index,
    message: { content: "x" },
    finish_reason,
  }));
  const expected = ["other", "stop", "tool_calls"];
  assert.deepEqual(readJson({ ...ANSWER, choices }).finishReasons, expected);
  const frames = choices.map(({ finish_reason, index }) => delta({}, finish_reason as string, index));
  assert.deepEqual(read([sse(...frames)]).finishReasons, expected);
});

test("text completions", () => {
  const head = { ...CHAT, object: "text_completion" };
  const part = (text: string, finish_reason: string | null) => ({
    ...head,
    choices: [{ index: 0, text, finish_reason }],
  });
  const completion = read([sse(part("a", null), part("b", "stop"), "[DONE]")]);
  assert.deepEqual(stored(completion), {
    ...head,
    choices: [{ index: 0, text: "ab", finish_reason: "stop" }],
  });
  assert.deepEqual(completion.usage, { outputTokens: 2, estimated: true });
});

test("JSON", () => {
  const completion = readJson(ANSWER);
  assert.deepEqual(stored(completion), ANSWER);
  assert.deepEqual([completion.form, completion.id, completion.model], ["json", "chatcmpl-1", "m"]);
  assert.deepEqual([completion.finishReasons, completion.usage], [["stop"], REPORTED]);
  assert.equal(readJson(ANSWER, { complete: false }).storable, undefined);
  assert.equal(
    readJson(ANSWER, { contentType: "application/json; charset=utf-8", keep: false }).storable,
    undefined,
  );
});

const [choice] = WHOLE.choices;
const unfitJson: readonly (readonly [string, unknown, Options?])[] = [
  ["an error with 200", { error: { message: "x" } }],
  ["an error beside choices", { ...ANSWER, error: { message: "x" } }],
  ["a failed status", ANSWER, { status: 404 }],
  ["no choices", { ...ANSWER, choices: [] }],
  [
    "tool calls",
    { ...ANSWER, choices: [{ ...choice, message: { ...choice?.message, tool_calls: [tool] } }] },
  ],
  ["a refusal", { ...ANSWER, choices: [{ ...choice, message: { content: "x", refusal: "no" } }] }],
  ["finished by length", { ...ANSWER, choices: [{ ...choice, finish_reason: "length" }] }],
  ["one index twice", { ...ANSWER, choices: [choice, choice] }],
  ["another object", { ...ANSWER, object: "list" }],
  ["cut short", JSON.stringify(ANSWER).slice(0, -1)],
  ["over the limit", ANSWER, { limitBytes: 100 }],
];

for (const [name, body, options] of unfitJson) {
  test(`JSON is not stored: ${name}`, () => assert.equal(readJson(body, options).storable, undefined));
}

test("compressed or foreign bodies are only counted", () => {
  for (const options of [
    { contentEncoding: "gzip" },
    { contentType: "audio/mpeg" },
    { contentType: undefined },
  ]) {
    const completion = read([sse(...HELLO, END, "[DONE]"), "x"], options);
    assert.deepEqual(completion, { form: "other", finishReasons: [], firstChunkAtMs: 100, chunks: 2 });
  }
  assert.equal(read([], { contentEncoding: "identity" }).form, "sse");
});

test("the first end decides, and nothing is read after it", () => {
  const reader = readCompletion({ contentType: "text/event-stream", status: 200, keep: true });
  reader.chunk(utf8.encode(sse(...HELLO, END, "[DONE]")), 1);
  const completion = reader.end(false);
  reader.chunk(utf8.encode("data: x\n\n"), 2);
  assert.equal(reader.end(true), completion);
  assert.deepEqual([completion.chunks, completion.storable], [1, undefined]);
});

test("hostile bytes never throw", () => {
  const deep = `data: ${"[".repeat(100_000)}\n\n`;
  const odd = [
    "null",
    "[]",
    "7",
    '"x"',
    "{}",
    '{"choices":7}',
    '{"choices":[null,7,{"delta":7,"index":"x"}]}',
  ];
  const proto = '{"__proto__":{"x":1},"choices":[{"delta":{"__proto__":{"content":"x"}}}]}';
  const noise = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7919 + (i >> 3)) & 0xff);
  const names = { id: "x".repeat(100_000), model: 7, choices: [], usage: [] };
  for (const body of [deep, sse(...odd, proto, names), ...odd, proto, noise, "data", "\r", ":"]) {
    for (const contentType of ["text/event-stream", "application/json"]) {
      for (const keep of [true, false]) {
        const completion = read([body], { contentType, keep });
        assert.equal(completion.storable, undefined);
        assert.ok((completion.id?.length ?? 0) <= 256);
      }
    }
  }
});

test("a JSON body above the limit is let go, in chunks of any size", () => {
  const before = process.memoryUsage().arrayBuffers;
  const piece = new Uint8Array(1024 * 1024).fill(32);
  const reader = readCompletion({ contentType: "application/json", status: 200, keep: true });
  for (let i = 0; i < 100; i++) reader.chunk(piece, i);
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024);
  assert.deepEqual(reader.end(true), { form: "json", finishReasons: [], firstChunkAtMs: 0, chunks: 100 });
});
