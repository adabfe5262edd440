import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "../../src/extproc/decode.ts";
import { type Answer, encode } from "../../src/extproc/encode.ts";
import { bodyOf, headerMap, oracle, removedHeaders, sends, setHeaders } from "../support/ext-proc.ts";

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>;

test("every kind of message is read as the oracle wrote it", () => {
  const headers = decode(
    oracle.requestSerialize(sends.requestHeaders({ "x-a": ["1", "2"], "x-b": "é" }, { end_of_stream: true })),
  );
  assert.equal(headers.phase, "requestHeaders");
  assert.deepEqual(headers.headers.all("x-a"), ["1", "2"]);
  assert.equal(headers.headers.get("x-b"), "é");
  assert.equal(headers.endOfStream, true);
  assert.equal(headers.requestBodyMode, 2);
  assert.equal(headers.responseBodyMode, 1);

  const body = decode(oracle.requestSerialize(sends.requestBody("x".repeat(300), { end_of_stream: true })));
  assert.deepEqual([body.phase, body.body.length, body.endOfStream], ["requestBody", 300, true]);

  const response = decode(oracle.requestSerialize(sends.responseHeaders(503)));
  assert.equal(response.phase, "responseHeaders");
  assert.equal(response.attributes.get("response.code_details"), "via_upstream");

  assert.equal(decode(oracle.requestSerialize(sends.responseBody("a", false))).endOfStream, false);
  assert.equal(decode(oracle.requestSerialize(sends.requestTrailers())).phase, "requestTrailers");
  assert.equal(decode(oracle.requestSerialize(sends.responseTrailers())).phase, "responseTrailers");
  assert.equal(
    decode(oracle.requestSerialize({ ...sends.responseTrailers(), observability_mode: true })).observeOnly,
    true,
  );
  assert.equal(decode(Buffer.alloc(0)).phase, undefined);
});

test("a header in `value` is read where `raw_value` is empty", () => {
  const message = { request_headers: { headers: { headers: [{ key: "x-old", value: "old" }] } } };
  assert.equal(decode(oracle.requestSerialize(message)).headers.get("x-old"), "old");
});

test("metadata and other attributes beside it are skipped", () => {
  const metadata_context = {
    filter_metadata: { a: { fields: { b: { stringValue: "c", kind: "stringValue" } } } },
  };
  const number = { fields: { "upstream.request_attempt_count": { numberValue: 2, kind: "numberValue" } } };
  const message = { ...sends.responseHeaders(200), metadata_context, attributes: { any: number } };
  const { phase, attributes } = decode(oracle.requestSerialize(message));
  assert.equal(phase, "responseHeaders");
  assert.equal(attributes.get("upstream.request_attempt_count"), 2);
});

test("a message of an unknown kind and unknown fields are no error", () => {
  const unknownOneof = Buffer.from([0xa2, 0x06, 2, 1, 2]);
  assert.equal(decode(unknownOneof).phase, undefined);
  const known = oracle.requestSerialize(sends.requestBody("abc"));
  assert.equal(decode(Buffer.concat([unknownOneof, known])).body.toString(), "abc");
});

test("bytes that are no protobuf throw and never run on", () => {
  const whole = oracle.requestSerialize(sends.requestHeaders({ "x-a": "b" }));
  for (let length = 1; length < whole.length; length += 1) {
    try {
      decode(whole.subarray(0, length));
    } catch (error) {
      assert.ok(error instanceof RangeError);
    }
  }
  for (const hostile of [[0xff], [0x12, 0xff, 0xff, 0xff, 0xff, 0x7f], [0x0b], new Array(20).fill(0xff)]) {
    assert.throws(() => decode(Buffer.from(hostile)), RangeError);
  }
});

test("every kind of answer is written as the oracle reads it", () => {
  const change: Answer = {
    kind: "proceed",
    phase: "requestBody",
    set: [
      ["x-a", "1"],
      ["x-b", "Grüße"],
    ],
    remove: ["x-c"],
    body: Buffer.from("body"),
    clearRouteCache: true,
  };
  const read = oracle.responseDeserialize(encode(change));
  assert.equal(read.response, "request_body");
  assert.deepEqual(setHeaders(read), { "x-a": "1", "x-b": "Grüße" });
  assert.deepEqual(removedHeaders(read), ["x-c"]);
  assert.equal(bodyOf(read)?.toString(), "body");
  const common = (
    plain(read).request_body as {
      response: { clear_route_cache: boolean; header_mutation: { set_headers: { append_action: string }[] } };
    }
  ).response;
  assert.equal(common.clear_route_cache, true);
  assert.equal(common.header_mutation.set_headers[0]?.append_action, "OVERWRITE_IF_EXISTS_OR_ADD");

  const modes = oracle.responseDeserialize(
    encode({ kind: "proceed", phase: "requestHeaders", bodyModes: { request: 0, response: 1 } }),
  );
  assert.deepEqual(plain(modes.mode_override).request_body_mode, "NONE");
  assert.deepEqual(plain(modes.mode_override).response_body_mode, "STREAMED");

  const immediate = oracle.responseDeserialize(
    encode({
      kind: "immediate",
      status: 403,
      headers: [["x-v", "true"]],
      body: Buffer.from("{}"),
      details: "why",
    }),
  );
  assert.equal(immediate.response, "immediate_response");
  assert.deepEqual(setHeaders(immediate), { "x-v": "true" });
  const { status, body, details } = immediate.immediate_response as {
    status: { code: number };
    body: Buffer;
    details: string;
  };
  assert.deepEqual([status.code, body.toString(), details], [403, "{}", "why"]);
});

for (const phase of [
  "requestHeaders",
  "requestBody",
  "responseHeaders",
  "responseBody",
  "requestTrailers",
  "responseTrailers",
] as const) {
  test(`a plain answer to ${phase} is of its kind and changes nothing`, () => {
    const read = oracle.responseDeserialize(encode({ kind: "proceed", phase }));
    const snake = phase.replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`);
    assert.equal(read.response, snake);
    assert.deepEqual(setHeaders(read), {});
    const changed = oracle.responseDeserialize(encode({ kind: "proceed", phase, remove: ["x-a"] }));
    assert.deepEqual([changed.response, removedHeaders(changed)], [snake, ["x-a"]]);
  });
}

test("clearing the route cache always brings a header mutation along: Envoy ignores it otherwise", () => {
  const read = oracle.responseDeserialize(
    encode({ kind: "proceed", phase: "requestHeaders", clearRouteCache: true }),
  );
  const { header_mutation } = (read.request_headers as { response: { header_mutation: unknown } }).response;
  assert.ok(header_mutation);
});

test("bodies larger than the writer's buffer, and what is written after them and after a failure", () => {
  for (const size of [60_000, 70_000, 3_000_000, 10]) {
    const body = Buffer.alloc(size, "x");
    const read = oracle.responseDeserialize(
      encode({ kind: "proceed", phase: "requestBody", set: [["x-a", "1"]], body }),
    );
    assert.ok(bodyOf(read)?.equals(body));
    assert.deepEqual(setHeaders(read), { "x-a": "1" });
  }
  const broken = [["x-a", undefined as unknown as string]] as const;
  assert.throws(() => encode({ kind: "proceed", phase: "requestBody", set: broken, remove: ["x-b"] }));
  const after = oracle.responseDeserialize(
    encode({ kind: "proceed", phase: "requestBody", remove: ["x-c"] }),
  );
  assert.deepEqual(removedHeaders(after), ["x-c"]);
});

test("control characters never reach a header value", () => {
  const read = oracle.responseDeserialize(
    encode({ kind: "proceed", phase: "responseHeaders", set: [["x-a", "a\r\nb\0c\td"]] }),
  );
  assert.deepEqual(setHeaders(read), { "x-a": "a  b c\td" });
});

test("the header map helper writes repeated headers", () => {
  assert.equal(headerMap({ a: ["1", "2"] }).headers.length, 2);
});
