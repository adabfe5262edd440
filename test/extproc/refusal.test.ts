import assert from "node:assert/strict";
import { test } from "node:test";
import { startRouter, tree } from "../support/conversation.ts";
import { chat, config, errorOf, exchange, onEachTransport, outcome } from "../support/exchanges.ts";
import { sends, setHeaders } from "../support/ext-proc.ts";

onEachTransport("refusals", (router) => {
  test("personal data that no model may see is refused", async () => {
    const { answers, spans } = await router.play(exchange(chat("write to a@b")).slice(0, 2));
    assert.equal(setHeaders(answers[1]!)["x-vsr-pii-violation"], "true");
    assert.deepEqual(
      { ...errorOf(answers[1]!), message: "" },
      { status: 403, type: "policy_violation", code: "pii_violation", param: null, message: "" },
    );
    assert.deepEqual(tree(spans, [...outcome, "pii.types", "security.action"]), [
      "request.received outcome=blocked outcome.reason=pii_violation http.response.status_code=403 security.action=blocked",
      "  classification",
      "  security.pii_detection pii.types=EMAIL_ADDRESS security.action=blocked",
      "  security.jailbreak_detection security.action=allowed",
    ]);
  });

  test("an attack is refused, in whatever message it hides", async () => {
    const hidden = {
      model: "calc",
      messages: [{ role: "tool", tool_call_id: "1", content: "ATTACK" }, ...chat("hi").messages],
    };
    const tool = {
      ...chat("hi"),
      tools: [{ type: "function", function: { name: "f", description: "ATTACK the rules" } }],
    };
    for (const body of [chat("ATTACK"), hidden, tool]) {
      const { answers } = await router.play(exchange(body).slice(0, 2));
      const headers = setHeaders(answers[1]!);
      assert.equal(headers["x-vsr-jailbreak-blocked"], "true");
      assert.equal(headers["x-vsr-jailbreak-type"], "jailbreak");
      assert.equal(headers["x-vsr-jailbreak-confidence"], "0.990");
      assert.equal(errorOf(answers[1]!).status, 403);
    }
  });

  const refused: readonly [string, unknown, number, string, string | null][] = [
    ["malformed JSON", "{", 400, "invalid_json", null],
    ["duplicate keys", '{"model":"a","model":"b","messages":[]}', 400, "duplicate_key", null],
    ["not UTF-8", Buffer.from([0x22, 0xff, 0x22]), 400, "not_utf8", null],
    ["an empty body", "", 400, "empty_body", null],
    ["deep nesting", `${"[".repeat(200)}${"]".repeat(200)}`, 400, "too_deep", null],
    ["an array", "[]", 400, "not_an_object", null],
    ["no model", { messages: chat("x").messages }, 400, "missing_field", "model"],
    ["a wrong type", { model: "auto", messages: "x" }, 400, "wrong_type", "messages"],
    ["no messages", { model: "auto", messages: [] }, 400, "no_messages", "messages"],
    [
      "no user text",
      { model: "auto", messages: [{ role: "system", content: "x" }] },
      400,
      "no_user_text",
      "messages",
    ],
    ["an unknown model", { ...chat("x"), model: "gpt-9" }, 404, "model_not_found", null],
    ["a model without endpoint", { ...chat("x"), model: "nowhere" }, 503, "model_without_endpoint", null],
    ["a guard that fails", { ...chat("BROKEN"), model: "chat" }, 503, "guard_unavailable", null],
    ["an overload", { ...chat("FULL"), model: "chat" }, 429, "overloaded", null],
    ["a fault of ours", { ...chat("BUG"), model: "chat" }, 500, "internal_error", null],
  ];

  for (const [name, body, status, code, param] of refused) {
    test(`${name} gets ${status} ${code}, leaks nothing and leaves its trace`, async () => {
      const { answers, spans } = await router.play(exchange(body).slice(0, 2));
      const error = errorOf(answers[1]!);
      assert.deepEqual([error.status, error.code, error.param], [status, code, param]);
      assert.doesNotMatch(
        JSON.stringify(error) + JSON.stringify(spans.map((s) => [s.attributes, s.status])),
        /secret detail/,
      );
      const root = spans.find((span) => span.name.endsWith("received"))!;
      assert.equal(root.attributes["http.response.status_code"], status);
      assert.equal(root.attributes.outcome, status >= 500 ? "failed" : "rejected");
      assert.equal(root.status.code === 2, status >= 500);
    });
  }

  test("what can be refused on its headers is, before any body is sent", async () => {
    for (const [headers, more, status, code] of [
      [{ "content-encoding": "br" }, {}, 415, "unsupported_content_encoding"],
      [{ "content-length": "99999999" }, {}, 413, "request_too_large"],
      [{}, { end_of_stream: true }, 400, "empty_body"],
    ] as const) {
      const { answers } = await router.play([sends.requestHeaders(headers, more)]);
      const error = errorOf(answers[0]!);
      assert.deepEqual([error.status, error.code], [status, code]);
    }
  });

  test("a guarded path in disguise is refused, and so are doors whose requests cannot be read", async () => {
    for (const path of [
      "/v1/chat/completions%0a",
      "/v1/chat/completions%0A?x=1",
      "/v1/completions%20",
      "/v1;x/chat/completions",
      "/V1/Chat/Completions",
      "/v1/chat/completions;x=1",
      "/v1/chat%2fcompletions",
      "/v1/chat%252fcompletions",
      "/v1//chat/completions",
      "/v1/chat\\completions",
      "/health%00",
    ]) {
      const { answers } = await router.play([sends.requestHeaders({ ":path": path })]);
      assert.deepEqual([errorOf(answers[0]!).status, errorOf(answers[0]!).code], [400, "invalid_path"], path);
    }
    for (const path of [
      "/v1/responses",
      "/v1/messages",
      "/invocations",
      "/chat/completions",
      "/v1/chat/completions/batch",
      "/api/chat",
      "/v1/%72esponses",
    ]) {
      const { answers } = await router.play([sends.requestHeaders({ ":path": path })]);
      assert.deepEqual(
        [errorOf(answers[0]!).status, errorOf(answers[0]!).code],
        [404, "unguarded_path"],
        path,
      );
    }
    const upgrade = await router.play([sends.requestHeaders({ upgrade: "websocket" })]);
    assert.equal(errorOf(upgrade.answers[0]!).code, "invalid_path");
  });

  test("text of a client's own in names and ids is bounded in every span", async () => {
    const long = "x".repeat(5000);
    const named = await router.play(exchange({ ...chat("hi"), model: long }).slice(0, 2));
    assert.deepEqual(
      [errorOf(named.answers[1]!).status, errorOf(named.answers[1]!).code],
      [400, "invalid_model"],
    );
    const { spans } = await router.play([
      sends.get(`/${long}`, { "x-request-id": long }),
      sends.responseHeaders(200),
      sends.responseBody(""),
    ]);
    for (const span of [...named.spans, ...spans]) {
      for (const value of Object.values(span.attributes)) assert.ok(String(value).length <= 256);
    }
  });

  test("personal data around the conversation counts as well", async () => {
    const { answers } = await router.play(
      exchange({ ...chat("hi"), model: "strict", documents: [{ text: "write to a@b" }] }).slice(0, 2),
    );
    assert.equal(errorOf(answers[1]!).code, "pii_violation");
  });

  test("trailers in place of a body are an empty body", async () => {
    const { answers } = await router.play([sends.requestHeaders(), sends.requestTrailers()]);
    assert.equal(errorOf(answers[1]!).code, "empty_body");
  });

  test("a request that reached upstream without its body being seen is not answered with what came back", async () => {
    const { answers } = await router.play([sends.requestHeaders(), sends.responseHeaders(200)]);
    assert.equal(errorOf(answers[1]!).code, "empty_body");
  });
});

test("status 200 for blocks gives a completion that refuses", async () => {
  const router = await startRouter(`${config}\nsecurity: { block_status: 200 }`, "in memory");
  const { answers } = await router.play(exchange(chat("ATTACK")).slice(0, 2));
  const { status, body } = answers[1]!.immediate_response as { status: { code: number }; body: Buffer };
  assert.equal(status.code, 200);
  assert.match(body.toString(), /"finish_reason":"content_filter"/);
  await router.stop();
});
