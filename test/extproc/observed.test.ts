import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Router, startRouter } from "../support/conversation.ts";
import { chat, completion, config, exchange } from "../support/exchanges.ts";
import { sends } from "../support/ext-proc.ts";

const withTracing = (more: string) =>
  config.replace("tracing: { enabled: true }", `tracing: { enabled: true, ${more} }`);

/** Defines tests against a router whose tracing is configured so. */
function observing(name: string, more: string, define: (play: Router["play"]) => void) {
  describe(name, () => {
    let router: Router;
    before(async () => {
      router = await startRouter(withTracing(more), "in memory");
    });
    after(() => router.stop());
    define((...given) => router.play(...given));
  });
}

type Spans = Awaited<ReturnType<Router["play"]>>["spans"];
const spanOf = (spans: Spans, name: string) => spans.find((span) => span.name.endsWith(name));
const upstreamOf = (spans: Spans) =>
  spanOf(spans, "upstream.request")?.attributes ?? assert.fail("no upstream");
const rootOf = (spans: Spans) => spanOf(spans, "request.received")?.attributes ?? assert.fail("no root");
const everything = (spans: Spans) => JSON.stringify(spans.map(({ name, attributes }) => [name, attributes]));
/** Sent to a model that may see personal data. */
const toChat = (text: string, more: object = {}) => ({ ...chat(text, more), model: "chat" });

observing(
  "custom attributes",
  `custom_attributes: [
    { key: customer.tier, header: x-tier, allowed_values: [gold, free] },
    { key: cloud.region, value: eu, spans: all },
    { key: feature.flag, header: x-flag, spans: all, max_length: 4 },
  ]`,
  (play) => {
    test("on the root and on all spans, from headers and from the file", async () => {
      const { spans } = await play(exchange(chat("a number"), { "x-tier": "gold", "x-flag": "fast-lane" }));
      assert.equal(spans.length, 9);
      for (const { name, attributes } of spans) {
        assert.equal(attributes["cloud.region"], "eu", name);
        assert.equal(attributes["feature.flag"], "fast", name);
        assert.equal(
          attributes["customer.tier"],
          name.endsWith("request.received") ? "gold" : undefined,
          name,
        );
      }
    });

    test("whatever becomes of the exchange", async () => {
      const blocked = await play(exchange(chat("ATTACK"), { "x-tier": "platinum" }).slice(0, 2));
      assert.equal(rootOf(blocked.spans)["customer.tier"], "other");
      assert.equal(spanOf(blocked.spans, "jailbreak_detection")?.attributes["cloud.region"], "eu");
      const malformed = await play(exchange("{", { "x-tier": "free" }).slice(0, 2));
      assert.equal(rootOf(malformed.spans)["customer.tier"], "free");
      const passed = await play([
        sends.get("/health", { "x-tier": "gold" }),
        sends.responseHeaders(200),
        sends.responseBody(""),
      ]);
      assert.equal(rootOf(passed.spans)["customer.tier"], "gold");
      assert.equal(upstreamOf(passed.spans)["cloud.region"], "eu");
    });

    test("a header that was not sent makes none", async () => {
      const { spans } = await play(exchange(chat("another number")));
      assert.equal(rootOf(spans)["customer.tier"], undefined);
      assert.equal(rootOf(spans)["feature.flag"], undefined);
    });
  },
);

observing("user.id from the body", "user_id: { hash_key: k }", (play) => {
  test("is a hash", async () => {
    const { spans } = await play(exchange(chat("a number", { user: "ann@example.com" })));
    assert.match(String(rootOf(spans)["user.id"]), /^[0-9a-f]{16}$/);
    assert.doesNotMatch(everything(spans), /ann@/);
  });

  test("no user, no id", async () => {
    for (const [i, user] of [undefined, ""].entries()) {
      const { spans } = await play(exchange(chat(`number ${i}`, { user })));
      assert.equal(rootOf(spans)["user.id"], undefined);
    }
  });
});

observing("user.id from a header", "user_id: { header: x-user, hash: false }", (play) => {
  test("is the header's, and never the body's", async () => {
    const { spans } = await play(exchange(chat("a number", { user: "bob" }), { "x-user": "ann" }));
    assert.equal(rootOf(spans)["user.id"], "ann");
    const without = await play(exchange(chat("another number", { user: "bob" })));
    assert.equal(rootOf(without.spans)["user.id"], undefined);
  });

  test("of what is refused or passed through too", async () => {
    const refused = await play(exchange("{", { "x-user": "ann" }).slice(0, 2));
    assert.equal(rootOf(refused.spans)["user.id"], "ann");
    const passed = await play([
      sends.get("/health", { "x-user": "ann" }),
      sends.responseHeaders(200),
      sends.responseBody(""),
    ]);
    assert.equal(rootOf(passed.spans)["user.id"], "ann");
  });
});

const secret = "ann@example.com";
const answer = (content: string) => ({
  ...completion,
  choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
});
const answered = (body: object, content: string) => [
  ...exchange(body).slice(0, 2),
  sends.responseHeaders(200),
  sends.responseBody(answer(content)),
];

observing("content", "capture_content: true, capture_content_max_chars: 64", (play) => {
  const told = (spans: Spans, key: string) => JSON.parse(String(upstreamOf(spans)[key] ?? "null")) as unknown;

  test("what is sent upstream and what is answered, on the upstream span only", async () => {
    const { spans } = await play(answered(chat("add the number to it"), "It is five."));
    assert.deepEqual(told(spans, "gen_ai.input.messages"), [
      { role: "system", parts: [{ type: "text", content: "You are exact." }] },
      { role: "user", parts: [{ type: "text", content: "add the number to it" }] },
    ]);
    assert.deepEqual(told(spans, "gen_ai.system_instructions"), [
      { type: "text", content: "You are exact." },
    ]);
    assert.deepEqual(told(spans, "gen_ai.output.messages"), [
      { role: "assistant", parts: [{ type: "text", content: "It is five." }], finish_reason: "stop" },
    ]);
    assert.doesNotMatch(
      everything(spans.filter(({ name }) => !name.endsWith("upstream.request"))),
      /add the|It is five/,
    );
  });

  test("personal data is replaced, in the prompt, around it and in the answer", async () => {
    const body = toChat(`Write to ${secret}, or call +1 415 555 2671`, {
      metadata: { about: "Q@Z" },
      messages: [
        { role: "system", content: `You serve ${secret}.` },
        { role: "user", content: `Write to ${secret}, call +1 415 555 2671` },
      ],
    });
    const { spans } = await play(answered(body, `Done: ${secret} and ANN@EXAMPLE.COM, cc Q@Z.`));
    assert.deepEqual(told(spans, "gen_ai.input.messages"), [
      { role: "system", parts: [{ type: "text", content: "You serve [EMAIL_ADDRESS]." }] },
      { role: "user", parts: [{ type: "text", content: "Write to [EMAIL_ADDRESS], call [PHONE_NUMBER]" }] },
    ]);
    assert.deepEqual(told(spans, "gen_ai.output.messages"), [
      {
        role: "assistant",
        parts: [{ type: "text", content: "Done: [EMAIL_ADDRESS] and [EMAIL_ADDRESS], cc [EMAIL_ADDRESS]." }],
        finish_reason: "stop",
      },
    ]);
    assert.doesNotMatch(everything(spans), /ann@|example\.com|Q@Z|2671/i);
  });

  test("a stream, an address in two frames of it, cut by the limit", async () => {
    const frame = (content: string) =>
      `data: ${JSON.stringify({ id: "c", model: "calc", choices: [{ index: 0, delta: { content } }] })}\n\n`;
    const { spans } = await play([
      ...exchange(toChat("hello", { stream: true })).slice(0, 2),
      sends.responseHeaders(200, { "content-type": "text/event-stream" }),
      sends.responseBody(frame("Mail ann@exa") + frame("mple.com now. "), false),
      sends.responseBody(`${frame("y".repeat(100))}data: [DONE]\n\n`),
    ]);
    const [message] = told(spans, "gen_ai.output.messages") as [{ parts: [{ content: string }] }];
    assert.equal(message.parts[0].content, `Mail [EMAIL_ADDRESS] now. ${"y".repeat(38)}`);
  });

  test("a streamed tool call is one text, and a finish reason of the server's own none", async () => {
    const frame = (args: string, finish_reason: string | null = null) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { name: "", arguments: args } }] }, finish_reason }] })}\n\n`;
    const { spans } = await play([
      ...exchange(toChat("hello", { stream: true })).slice(0, 2),
      sends.responseHeaders(200, { "content-type": "text/event-stream" }),
      sends.responseBody(frame('{"to":"ann\\u0040') + frame("exam"), false),
      sends.responseBody(`${frame('ple.com"}', secret)}data: [DONE]\n\n`),
    ]);
    assert.deepEqual(told(spans, "gen_ai.output.messages"), [
      {
        role: "assistant",
        parts: [{ type: "text", content: '{"to":"[EMAIL_ADDRESS]"}' }],
        finish_reason: "other",
      },
    ]);
    assert.deepEqual(upstreamOf(spans)["gen_ai.response.finish_reasons"], ["other"]);
    assert.doesNotMatch(everything(spans), /ann|exam/);
  });

  test("what is left out for its length is told", async () => {
    const whole = await play(answered(toChat("short"), "short"));
    assert.equal(upstreamOf(whole.spans)["content.truncated"], undefined);
    const long = await play(answered(toChat("long"), "y".repeat(65)));
    assert.equal(upstreamOf(long.spans)["content.truncated"], true);
  });

  test("the prompt is recorded whatever becomes of it", async () => {
    const { spans } = await play(exchange(toChat("unanswered words")).slice(0, 2));
    assert.match(everything(spans), /unanswered words/);
  });

  test("a detector that failed leaves no content", async () => {
    const allowing = await startRouter(
      withTracing("capture_content: true")
        .replace("pii_model: {}", "pii_model: { on_error: allow }")
        .replace("prompt_guard: { enabled: true }", ""),
      "in memory",
    );
    const { spans } = await allowing.play(answered(toChat("BROKEN words"), "unread"));
    await allowing.stop();
    assert.equal(upstreamOf(spans)["gen_ai.operation.name"], "chat");
    assert.doesNotMatch(everything(spans), /BROKEN|unread/);
  });

  test("nothing of what is not forwarded, nor of what passes through", async () => {
    const blocked = await play(exchange(chat("ATTACK with canary")).slice(0, 2));
    assert.equal(spanOf(blocked.spans, "upstream.request"), undefined);
    await play(answered(chat("a number canary twice"), "canary answer"));
    const hit = await play(exchange(chat("a number canary twice")).slice(0, 2));
    assert.equal(rootOf(hit.spans).outcome, "cache_hit");
    const embedded = await play([
      sends.requestHeaders({ ":path": "/v1/embeddings" }),
      sends.requestBody({ model: "chat", input: "canary" }),
      sends.responseHeaders(200),
      sends.responseBody(answer("canary")),
    ]);
    const failed = await play([
      ...exchange(toChat("hello")).slice(0, 2),
      sends.responseHeaders(500),
      sends.responseBody({ error: { message: "canary" }, ...answer("canary") }),
    ]);
    for (const { spans } of [blocked, hit, embedded, failed])
      assert.doesNotMatch(everything(spans), /canary/);
  });
});

observing("counts", "capture_content: false", (play) => {
  const streamed = async (body: object, ...frames: readonly object[]) => {
    const path = "prompt" in body ? { ":path": "/v1/completions" } : {};
    const { spans } = await play([
      ...exchange(body, path).slice(0, 2),
      sends.responseHeaders(200, { "content-type": "text/event-stream" }),
      sends.responseBody(frames.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(""), false),
    ]);
    return upstreamOf(spans)["gen_ai.usage.estimated"];
  };
  const finish = {
    choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
    usage: { prompt_tokens: 1, completion_tokens: 2 },
  };

  test("of a stream that was cut are final when as many choices have ended as were asked for", async () => {
    const asked = (n?: number) => toChat("hello", { stream: true, n });
    assert.equal(await streamed(asked(), finish), undefined);
    assert.equal(await streamed(asked(1), finish), undefined);
    assert.equal(await streamed(asked(2), finish), true);
    const second = { ...finish, choices: [{ index: 1, delta: {}, finish_reason: "stop" }] };
    assert.equal(await streamed(asked(2), finish, second), undefined);
    for (const [prompt, expected] of [
      ["a", undefined],
      [["a"], undefined],
      [["a", "b"], true],
    ])
      assert.equal(await streamed({ model: "chat", stream: true, prompt }, finish), expected, String(prompt));
  });
});

observing("content switched off", "provider: openinference", (play) => {
  test("none is recorded", async () => {
    const { spans } = await play(answered(toChat("canary words", { seed: 7 }), "canary answer"));
    assert.equal(upstreamOf(spans)["gen_ai.request.seed"], 7);
    assert.doesNotMatch(everything(spans), /canary/);
  });
});

for (const [provider, expected] of [
  [
    "openinference",
    {
      "openinference.span.kind": "LLM",
      "llm.token_count.total": 10,
      "llm.invocation_parameters": '{"temperature":0.5}',
      "input.value": "tell [EMAIL_ADDRESS]",
      "llm.output_messages.0.message.content": "told",
    },
  ],
  [
    "openllmetry",
    {
      "llm.request.type": "chat",
      "gen_ai.usage.total_tokens": 10,
      "gen_ai.prompt.0.content": "tell [EMAIL_ADDRESS]",
      "gen_ai.completion.0.content": "told",
    },
  ],
] as const) {
  observing(`provider: ${provider}`, `provider: ${provider}, capture_content: true`, (play) => {
    test("its names stand beside the router's own", async () => {
      const { spans } = await play(answered(toChat(`tell ${secret}`, { temperature: 0.5 }), "told"));
      const upstream = upstreamOf(spans);
      for (const [key, value] of Object.entries(expected)) assert.equal(upstream[key], value, key);
      assert.equal(upstream["gen_ai.request.model"], "chat");
      const kind = provider === "openinference" ? "openinference.span.kind" : "traceloop.span.kind";
      assert.ok(rootOf(spans)[kind]);
      assert.doesNotMatch(everything(spans), /ann@/);
    });

    test("a total is made of counts, not of an estimate", async () => {
      const running = {
        choices: [{ index: 0, delta: { content: "x" } }],
        usage: { prompt_tokens: 1, completion_tokens: 2 },
      };
      const { spans } = await play([
        ...exchange(toChat("hello", { stream: true })).slice(0, 2),
        sends.responseHeaders(200, { "content-type": "text/event-stream" }),
        sends.responseBody(`data: ${JSON.stringify(running)}\n\n`, false),
      ]);
      const upstream = upstreamOf(spans);
      assert.equal(upstream["gen_ai.usage.output_tokens"], 2);
      assert.deepEqual(
        Object.keys(upstream).filter((key) => /total/.test(key)),
        [],
      );
    });
  });
}
