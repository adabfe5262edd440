import assert from "node:assert/strict";
import { test } from "node:test";
import { tree } from "../support/conversation.ts";
import { chat, type completion, exchange, onEachTransport, outcome } from "../support/exchanges.ts";
import { bodyOf, removedHeaders, sends, setHeaders } from "../support/ext-proc.ts";

onEachTransport("routing", (router) => {
  test("an auto request is classified, rewritten and routed, and leaves nine spans", async () => {
    const { answers, spans } = await router.play(
      exchange(chat("a number please"), { "x-vsr-destination-endpoint": "evil", tracestate: "" }),
    );
    assert.deepEqual(
      answers.map((answer) => answer.response),
      ["request_headers", "request_body", "response_headers", "response_body"],
    );
    assert.deepEqual(removedHeaders(answers[0]!), ["x-vsr-destination-endpoint"]);
    const root = spans.find((span) => span.name.endsWith("received"))!;
    const upstream = spans.find((span) => span.name.endsWith("upstream.request"))!;
    const body = bodyOf(answers[1]!)!;
    assert.deepEqual(setHeaders(answers[1]!), {
      "x-vsr-destination-endpoint": "one",
      "x-selected-model": "calc",
      traceparent: `00-${root.spanContext().traceId}-${upstream.spanContext().spanId}-03`,
      "content-length": String(body.length),
    });
    assert.deepEqual(JSON.parse(body.toString()), {
      model: "calc",
      messages: [
        { role: "system", content: "You are exact." },
        { role: "user", content: "a number please" },
      ],
      chat_template_kwargs: { enable_thinking: true },
    });
    assert.deepEqual(setHeaders(answers[2]!), {
      "x-vsr-selected-category": "math",
      "x-vsr-selected-reasoning": "on",
      "x-vsr-selected-model": "calc",
      "x-vsr-injected-system-prompt": "true",
    });
    assert.deepEqual(
      tree(spans, [...outcome, "gen_ai.usage.output_tokens", "cache.hit", "security.action"]),
      [
        "request.received outcome=forwarded http.response.status_code=200 cache.hit=false security.action=allowed",
        "  classification",
        "  security.pii_detection security.action=allowed",
        "  security.jailbreak_detection security.action=allowed",
        "  cache.lookup cache.hit=false",
        "  routing.decision",
        "  backend.selection",
        "  system_prompt.injection",
        "  upstream.request http.response.status_code=200 gen_ai.usage.output_tokens=1",
      ],
    );
    for (const span of spans) {
      assert.ok(span === root || span.parentSpanContext?.spanId === root.spanContext().spanId, span.name);
      assert.ok(
        nanos(span.endTime) >= nanos(span.startTime) && nanos(span.endTime) <= nanos(root.endTime),
        span.name,
      );
    }
    assert.equal(router.encoder.calls.length, 1, "one encoder pass for an exchange");
  });

  test("the same question again is answered from the cache, as JSON or as a stream", async () => {
    const json = await router.play(exchange(chat("a number please")).slice(0, 2));
    assert.deepEqual(setHeaders(json.answers[1]!), {
      "content-type": "application/json",
      "x-vsr-cache-hit": "true",
    });
    const { choices } = JSON.parse(bodyOf(json.answers[1]!)!.toString()) as typeof completion;
    assert.equal(choices[0]!.message.content, "4");
    const sse = await router.play(exchange(chat("a number please", { stream: true })).slice(0, 2));
    assert.match(bodyOf(sse.answers[1]!)!.toString(), /data: \[DONE\]/);
    assert.deepEqual(tree(sse.spans, outcome), [
      "request.received outcome=cache_hit http.response.status_code=200",
      "  classification",
      "  security.pii_detection",
      "  security.jailbreak_detection",
      "  cache.lookup",
    ]);
  });

  test("another tenant, another history and another temperature do not share answers", async () => {
    const history = [{ role: "assistant", content: "x" }, ...chat("a number please").messages];
    for (const [body, headers] of [
      [chat("a number please"), { authorization: "Bearer other" }],
      [{ model: "auto", messages: [{ role: "user", content: "x" }, ...history] }, {}],
      [chat("a number please", { temperature: 0.1 }), {}],
      [chat("a number please"), { "x-api-key": "other" }],
      [{ ...chat("a number please"), model: "MoM" }, {}],
    ] as const) {
      const { answers } = await router.play(exchange(body, headers).slice(0, 2));
      assert.equal(answers[1]?.response, "request_body", JSON.stringify(body));
    }
  });

  test("personal data is kept from the model that may not see it, and the next best answers", async () => {
    const { answers, spans } = await router.play(exchange(chat("a number for a@b")));
    assert.equal(setHeaders(answers[1]!)["x-selected-model"], "chat");
    const decision = spans.find((span) => span.name.endsWith("routing.decision"))!;
    assert.equal(decision.attributes["routing.reason"], "pii_policy_alternative_selected");
    assert.deepEqual(decision.attributes["routing.refused"], [
      "calc=0.9: pii_policy",
      "strict=default: pii_policy",
    ]);
    assert.equal(
      spans.some((span) => span.name.endsWith("cache.lookup")),
      false,
    );
  });

  test("a specified model keeps its body, byte for byte, and is not classified", async () => {
    const { answers, spans } = await router.play(exchange({ ...chat("hello"), model: "chat" }));
    assert.equal(bodyOf(answers[1]!), undefined);
    assert.equal(setHeaders(answers[1]!)["x-vsr-destination-endpoint"], "two");
    assert.deepEqual(
      tree(spans).map((line) => line.trim()),
      [
        "request.received",
        "security.pii_detection",
        "security.jailbreak_detection",
        "cache.lookup",
        "routing.decision",
        "backend.selection",
        "upstream.request",
      ],
    );
    assert.equal(setHeaders(answers[2]!)["x-vsr-selected-reasoning"], "off");
  });

  test("GET /v1/models lists the auto alias and every model", async () => {
    const { answers, spans } = await router.play([sends.get("/v1/models?x=secret")]);
    const { data } = JSON.parse(bodyOf(answers[0]!)!.toString()) as { data: { id: string }[] };
    assert.deepEqual(
      data.map(({ id }) => id),
      ["MoM", "calc", "chat", "strict", "nowhere"],
    );
    assert.deepEqual(tree(spans, ["http.path", ...outcome]), [
      "request.received http.path=/v1/models outcome=passthrough http.response.status_code=200",
    ]);
  });

  test("other paths pass to the default endpoint with root and upstream only", async () => {
    const { answers, spans } = await router.play([
      sends.get("/health"),
      sends.responseHeaders(200),
      sends.responseBody("ok"),
    ]);
    assert.equal(setHeaders(answers[0]!)["x-vsr-destination-endpoint"], "two");
    assert.deepEqual(tree(spans, outcome), [
      "request.received outcome=passthrough http.response.status_code=200",
      "  upstream.request http.response.status_code=200",
    ]);
    assert.deepEqual(setHeaders(answers[1]!), {});
  });

  test("embeddings go to the endpoint of their model", async () => {
    const path = { ":path": "/v1/embeddings" };
    const { answers, spans } = await router.play([
      sends.requestHeaders(path),
      sends.requestBody({ model: "calc", input: "x" }),
      sends.responseHeaders(200),
      sends.responseBody({}),
    ]);
    assert.equal(setHeaders(answers[1]!)["x-vsr-destination-endpoint"], "one");
    assert.deepEqual(tree(spans, ["gen_ai.operation.name"]), [
      "request.received",
      "  upstream.request gen_ai.operation.name=embeddings",
    ]);
  });

  test("uploads to other paths are not buffered, upgrades not waited for", async () => {
    const upload = await router.play([
      sends.requestHeaders({ ":path": "/v1/audio/transcriptions" }),
      sends.responseHeaders(200),
      sends.responseBody(""),
    ]);
    const override = upload.answers[0]!.mode_override as {
      request_body_mode: string;
      response_body_mode: string;
    };
    assert.deepEqual([override.request_body_mode, override.response_body_mode], ["NONE", "STREAMED"]);
    const upgrade = await router.play([
      sends.requestHeaders({ ":method": "GET", ":path": "/ws", upgrade: "websocket" }),
      sends.responseHeaders(101),
    ]);
    assert.equal(
      (upgrade.answers[0]!.mode_override as { response_body_mode: string }).response_body_mode,
      "NONE",
    );
    assert.deepEqual(tree(upgrade.spans, outcome), [
      "request.received outcome=passthrough http.response.status_code=101",
      "  upstream.request http.response.status_code=101",
    ]);
  });

  test("for a long prompt Envoy is asked to wait longer, once, and a second longer than the model may take", async () => {
    const long = "word ".repeat(6000);
    const { answers } = await router.play(exchange(chat(long), {}));
    const bytes = Buffer.byteLength(JSON.stringify(chat(long)));
    const ms = Math.round((4000 * bytes) / 20_000) + 1000;
    const asked = answers.filter(({ override_message_timeout }) => override_message_timeout);
    assert.deepEqual(
      asked.map(({ response, override_message_timeout }) => [response, plain(override_message_timeout)]),
      [[undefined, { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 }]],
    );
    assert.equal(answers.indexOf(asked[0]!), 1);
    assert.equal(answers[2]!.response, "request_body");
    const short = await router.play(exchange(chat("word"), {}));
    assert.ok(short.answers.every(({ override_message_timeout }) => !override_message_timeout));
  });
});

const nanos = ([seconds, nanoseconds]: [number, number]) =>
  BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);

/** Durations with their 64-bit numbers as plain ones. */
const plain = (duration: unknown) =>
  Object.fromEntries(Object.entries(duration as object).map(([key, value]) => [key, Number(value)]));
