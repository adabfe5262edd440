import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Router, startRouter, transports, tree } from "../support/conversation.ts";
import { bodyOf, removedHeaders, sends, setHeaders } from "../support/ext-proc.ts";

const config = `
vllm_endpoints:
  - { name: one, address: 127.0.0.1, port: 8001 }
  - { name: two, address: 127.0.0.1, port: 8002 }
model_config:
  calc: { preferred_endpoints: [one], reasoning_family: qwen3, pii_policy: { allow_by_default: false } }
  chat: { preferred_endpoints: [two], pii_policy: { allow_by_default: true } }
  strict: { preferred_endpoints: [two] }
  nowhere: { pii_policy: { allow_by_default: true } }
reasoning_families:
  qwen3: { type: chat_template_kwargs, parameter: enable_thinking }
default_model: strict
categories:
  - name: math
    system_prompt: You are exact.
    model_scores:
      - { model: calc, score: 0.9, use_reasoning: true }
      - { model: chat, score: 0.4, use_reasoning: false }
classifier: { category_model: { threshold: 0.6 }, pii_model: {} }
prompt_guard: { enabled: true }
semantic_cache: { enabled: true, similarity_threshold: 0.95 }
observability: { tracing: { enabled: true } }
`;

const chat = (text: string, more: object = {}) => ({
  model: "auto",
  messages: [{ role: "user", content: text }],
  ...more,
});
const completion = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "calc",
  choices: [{ index: 0, message: { role: "assistant", content: "4" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 },
};
const exchange = (body: unknown, headers: Record<string, string | readonly string[]> = {}) => [
  sends.requestHeaders({ "content-length": "999", "x-request-id": "r-1", ...headers }),
  sends.requestBody(body),
  sends.responseHeaders(200),
  sends.responseBody(completion),
];
const errorOf = (answer: Record<string, unknown>) => {
  const { status, body } = answer.immediate_response as { status: { code: number }; body: Buffer };
  const { error } = JSON.parse(body.toString()) as {
    error: { type: string; code: string; param: string | null; message: string };
  };
  return { status: status.code, ...error };
};
const outcome = ["outcome", "outcome.reason", "http.response.status_code"];

for (const transport of transports) {
  describe(`a conversation ${transport}`, () => {
    let router: Router;
    before(async () => {
      router = await startRouter(config, transport);
    });
    after(() => router.stop());

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
        const { answers } = await router.play(exchange(body, headers).slice(0, 2), { hangUp: "cut" });
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
        "/V1/Chat/Completions",
        "/v1/chat/completions;x=1",
        "/v1/chat%2fcompletions",
        "/v1/chat%252fcompletions",
        "/v1//chat/completions",
        "/v1/chat\\completions",
        "/health%00",
      ]) {
        const { answers } = await router.play([sends.requestHeaders({ ":path": path })]);
        assert.deepEqual(
          [errorOf(answers[0]!).status, errorOf(answers[0]!).code],
          [400, "invalid_path"],
          path,
        );
      }
      for (const path of [
        "/v1/responses",
        "/v1/messages",
        "/invocations",
        "/chat/completions",
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

    test("an upstream that fails is told by status, not by silence", async () => {
      const failing = (status: number, details: string) => [
        ...exchange({ ...chat("hello"), model: "chat", n: status }).slice(0, 2),
        sends.responseHeaders(
          status,
          {},
          {
            attributes: {
              f: { fields: { "response.code_details": { stringValue: details, kind: "stringValue" } } },
            },
          },
        ),
        sends.responseBody("{}"),
      ];
      const notFound = await router.play(failing(404, "via_upstream"));
      assert.equal(
        tree(notFound.spans, outcome).at(-1),
        "  upstream.request http.response.status_code=404 ERROR(HTTP 404)",
      );
      assert.equal(
        tree(notFound.spans, outcome)[0],
        "request.received outcome=forwarded http.response.status_code=404 ERROR(HTTP 404)",
      );
      assert.deepEqual(setHeaders(notFound.answers[2]!), {}, "no decision headers on an error");
      const dead = await router.play(
        failing(503, "upstream_reset_before_response_started{connection_failure}"),
      );
      assert.equal(
        tree(dead.spans, outcome)[0],
        "request.received outcome=failed outcome.reason=upstream_reset_before_response_started{connection_failure} http.response.status_code=503 ERROR(HTTP 503)",
      );
    });

    test("an answer of Envoy's own before the body came passes, and is no forwarded request", async () => {
      const { answers, spans } = await router.play([
        sends.requestHeaders(),
        sends.responseHeaders(413, {}, { attributes: {} }),
        sends.responseBody(""),
      ]);
      assert.equal(answers[1]!.response, "response_headers");
      assert.deepEqual(tree(spans, outcome), [
        "request.received outcome=rejected outcome.reason=answered_by_envoy http.response.status_code=413",
      ]);
    });

    test("a request that reached upstream without its body being seen is not answered with what came back", async () => {
      const { answers } = await router.play([sends.requestHeaders(), sends.responseHeaders(200)]);
      assert.equal(errorOf(answers[1]!).code, "empty_body");
    });

    test("trailers in place of a body are an empty body", async () => {
      const { answers } = await router.play([sends.requestHeaders(), sends.requestTrailers()]);
      assert.equal(errorOf(answers[1]!).code, "empty_body");
    });

    test("chunks, empty chunks and trailers of a stream pass untouched, one answer each", async () => {
      const frame = 'data: {"id":"c","model":"calc","choices":[{"index":0,"delta":{"content":"x"}}]}\n\n';
      const { answers, spans } = await router.play([
        ...exchange({ ...chat("s"), model: "chat", stream: true }).slice(0, 2),
        sends.responseHeaders(200, { "content-type": "text/event-stream" }),
        sends.responseBody(frame, false),
        sends.responseBody("", false),
        sends.responseBody(
          'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":7}}\n\ndata: [DONE]\n\n',
          false,
        ),
        sends.responseTrailers(),
      ]);
      assert.deepEqual(
        answers.slice(3).map((answer) => [answer.response, bodyOf(answer)]),
        [
          ["response_body", undefined],
          ["response_body", undefined],
          ["response_body", undefined],
          ["response_trailers", undefined],
        ],
      );
      const upstream = spans.find((span) => span.name.endsWith("upstream.request"))!;
      assert.equal(upstream.attributes["gen_ai.usage.output_tokens"], 7);
      assert.equal(upstream.attributes["gen_ai.response.id"], "c");
    });

    test("a stream cut short is aborted, its usage an estimate that says so", async () => {
      const frame = 'data: {"id":"c","model":"calc","choices":[{"index":0,"delta":{"content":"x"}}]}\n\n';
      const { spans } = await router.play(
        [
          ...exchange({ ...chat("cut"), model: "chat", stream: true }).slice(0, 2),
          sends.responseHeaders(200, { "content-type": "text/event-stream" }),
          sends.responseBody(frame + frame, false),
        ],
        { hangUp: "cut" },
      );
      assert.deepEqual(
        tree(spans, [...outcome, "gen_ai.usage.output_tokens", "gen_ai.usage.estimated"]).filter((line) =>
          /received|upstream/.test(line),
        ),
        [
          "request.received outcome=aborted outcome.reason=ended_mid_response http.response.status_code=200 ERROR(ended_mid_response)",
          "  upstream.request http.response.status_code=200 gen_ai.usage.output_tokens=2 gen_ai.usage.estimated=true ERROR(ended_mid_response)",
        ],
      );
    });

    test("a client that leaves while the encoder works stops it, and every span is closed", async () => {
      const { spans, answers } = await router.play(exchange(chat("SLOW number")).slice(0, 2), {
        hangUp: "cut",
      });
      assert.equal(answers.length, 1);
      assert.deepEqual(tree(spans, outcome), [
        "request.received outcome=aborted outcome.reason=ended_before_verdict",
        "  classification ERROR(aborted)",
        "  security.pii_detection ERROR(aborted)",
        "  security.jailbreak_detection ERROR(aborted)",
      ]);
      assert.equal(router.faults.filter((fault) => (fault as Error).name === "AbortError").length, 0);
    });

    test("a client that leaves before its body is complete leaves one root", async () => {
      const { spans } = await router.play([sends.requestHeaders()]);
      assert.deepEqual(tree(spans, outcome), [
        "request.received outcome=aborted outcome.reason=ended_before_verdict",
      ]);
    });

    test("a stream that starts in the middle is carried on and traced", async () => {
      const { answers, spans } = await router.play([sends.responseHeaders(200), sends.responseBody("x")]);
      assert.deepEqual(
        answers.map((answer) => answer.response),
        ["response_headers", "response_body"],
      );
      assert.deepEqual(tree(spans, outcome), ["request.received outcome=passthrough"]);
    });

    test("parent: gRPC metadata before headers, the other one as a link", async () => {
      const client = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
      const envoy = `00-${"c".repeat(32)}-${"d".repeat(16)}-01`;
      const both = await router.play([sends.get("/v1/models", { traceparent: client })], {
        metadata: { traceparent: envoy },
      });
      assert.equal(both.spans[0]!.parentSpanContext?.spanId, "d".repeat(16));
      assert.equal(both.spans[0]!.links[0]?.context.traceId, "a".repeat(32));
      const one = await router.play([sends.get("/v1/models", { traceparent: client })]);
      assert.equal(one.spans[0]!.spanContext().traceId, "a".repeat(32));
      assert.equal(one.spans[0]!.links.length, 0);
    });

    test("an unsampled parent leaves no spans and a valid traceparent", async () => {
      const client = `00-${"a".repeat(32)}-${"b".repeat(16)}-00`;
      const before = Date.now();
      const { answers, spans } = await router.play([
        ...exchange({ ...chat("u"), model: "chat" }, { traceparent: client, tracestate: "a=1,b=2" }),
      ]);
      assert.equal(spans.length, 0);
      assert.ok(Date.now() - before >= 0);
      assert.match(setHeaders(answers[1]!).traceparent!, /^00-a{32}-[0-9a-f]{16}-00$/);
      assert.equal(setHeaders(answers[1]!).tracestate, "a=1,b=2");
    });
  });
}

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

test("status 200 for blocks gives a completion that refuses", async () => {
  const router = await startRouter(`${config}\nsecurity: { block_status: 200 }`, "in memory");
  const { answers } = await router.play(exchange(chat("ATTACK")).slice(0, 2));
  const { status, body } = answers[1]!.immediate_response as { status: { code: number }; body: Buffer };
  assert.equal(status.code, 200);
  assert.match(body.toString(), /"finish_reason":"content_filter"/);
  await router.stop();
});

const nanos = ([seconds, nanoseconds]: [number, number]) =>
  BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
