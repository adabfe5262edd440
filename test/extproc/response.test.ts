import assert from "node:assert/strict";
import { test } from "node:test";
import { tree } from "../support/conversation.ts";
import { chat, exchange, onEachTransport, outcome } from "../support/exchanges.ts";
import { bodyOf, sends, setHeaders } from "../support/ext-proc.ts";

onEachTransport("responses", (router) => {
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
      "request.received outcome=failed outcome.reason=upstream_connection_failure http.response.status_code=503 ERROR(upstream_connection_failure)",
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
      "request.received outcome=aborted outcome.reason=ended_before_verdict ERROR(ended_before_verdict)",
      "  classification ERROR(aborted)",
      "  security.pii_detection ERROR(aborted)",
      "  security.jailbreak_detection ERROR(aborted)",
    ]);
    assert.equal(router.faults.filter((fault) => (fault as Error).name === "AbortError").length, 0);
  });

  test("a client that leaves before its body is complete leaves one root", async () => {
    const { spans } = await router.play([sends.requestHeaders()]);
    assert.deepEqual(tree(spans, outcome), [
      "request.received outcome=aborted outcome.reason=ended_before_verdict ERROR(ended_before_verdict)",
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
});
