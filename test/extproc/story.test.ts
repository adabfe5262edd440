import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { LogEntry } from "../../src/extproc/access-log.ts";
import { conclude, type Story } from "../../src/extproc/story.ts";
import { upstreamRequest } from "../../src/pipeline/upstream-request.ts";
import { Trace } from "../../src/telemetry/trace.ts";

const attributesOf = (attributes: readonly unknown[]) => {
  const found: Record<string, unknown> = {};
  for (let i = 0; i < attributes.length; i += 2) found[attributes[i] as string] = attributes[i + 1];
  return found;
};

// Exchanges begin 200 ms before now, and the clock begins with the process.
before(() => sleep(Math.max(0, 300 - performance.now())));

/** An exchange that began 200 ms ago and whose stream ended 100 ms later, its upstream call lasting from 10 to 90. */
function play(
  story: Partial<Story>,
  entry?: Partial<LogEntry>,
  { forwarded = true, complete = false, lateChildMs = 0 } = {},
) {
  const base = performance.now() - 200;
  const at = new Trace("root", { traceId: "a".repeat(32), flags: 1, state: "", propagates: true });
  const move = (span: object, startMs: number) => Object.defineProperty(span, "startMs", { value: startMs });
  move(at.root, base);
  const stage = at.open("stage");
  move(stage, base + 1);
  stage.end(base + 5);
  const upstream = forwarded
    ? upstreamRequest(at, { operation: "chat", model: "m", backend: undefined })
    : undefined;
  const call = at.children[1];
  if (call && upstream) {
    move(call, base + 10);
    upstream.end(complete);
    call.endMs = base + 90;
  }
  if (lateChildMs > 0) stage.endMs = base + lateChildMs;
  at.root.endMs = base + 100;
  const told: Story = { ending: "forwarded", upstream, lastHeardMs: base + 80, ...story };
  conclude(
    at,
    told,
    entry && {
      requestId: "r",
      startUs: (at.epochOffsetMs + base - 1) * 1000,
      durationMs: 95,
      upstreamEndMs: 85,
      status: 200,
      details: "via_upstream",
      flags: [],
      peer: undefined,
      attempts: 1,
      ...entry,
    },
  );
  const root = attributesOf(at.root.attributes);
  return {
    outcome: [root.outcome, root["outcome.reason"], root["http.response.status_code"]],
    root,
    errors: [at.root.error, call?.error],
    ends: [at.root.endMs, call?.endMs].map((ms) => ms && Math.round(ms - base)),
    call: attributesOf(call?.attributes ?? []),
  };
}

describe("how an exchange ended", () => {
  const cut: Partial<Story> = { ending: "aborted", reason: "ended_mid_response", status: 200, shown: true };
  const gone = { details: "downstream_remote_disconnect", flags: ["DC"], upstreamEndMs: undefined };
  type Row = [
    string,
    Partial<Story>,
    Partial<LogEntry> | undefined,
    unknown[],
    string | undefined,
    { forwarded?: boolean; complete?: boolean }?,
  ];
  const rows: Row[] = [
    ["answered", { status: 200 }, {}, ["forwarded", undefined, 200], undefined, { complete: true }],
    [
      "answered, without a log",
      { status: 200 },
      undefined,
      ["forwarded", undefined, 200],
      undefined,
      { complete: true },
    ],
    ["cut, by the client", cut, gone, ["aborted", "client_disconnect", 200], "client_disconnect"],
    [
      "cut, by upstream",
      cut,
      { details: "upstream_reset_after_response_started{protocol_error}", flags: ["UPE"] },
      ["aborted", "upstream_reset", 200],
      "upstream_reset",
    ],
    [
      "cut, by a timeout",
      cut,
      { details: "stream_idle_timeout", flags: ["SI"] },
      ["aborted", "idle_timeout", 200],
      "idle_timeout",
    ],
    ["cut, without a log", cut, undefined, ["aborted", "ended_mid_response", 200], "ended_mid_response"],
    [
      "cut for the stream, whole for the client",
      { ...cut, status: 200 },
      { ...gone },
      ["forwarded", "client_disconnect", 200],
      undefined,
      { complete: true },
    ],
    [
      "whole for the stream, cut for the client",
      { status: 200 },
      { details: "upstream_reset_after_response_started{x}", flags: ["UC"] },
      ["aborted", "upstream_reset", 200],
      "upstream_reset",
      { complete: true },
    ],
    [
      "before any answer: the client got none, so there is no status",
      { ending: "aborted", reason: "ended_before_response" },
      { ...gone, status: 0 },
      ["aborted", "client_disconnect", undefined],
      "client_disconnect",
    ],
    [
      "Envoy lost patience with the processor",
      { ending: "aborted", reason: "ended_before_verdict" },
      { status: 504, details: "ext_proc_error_per-message_timeout_exceeded" },
      ["failed", "processor_timeout", 504],
      "processor_timeout",
      { forwarded: false },
    ],
    [
      "Envoy answered in upstream's place, by the log alone",
      { status: 503 },
      { status: 503, details: "upstream_reset_before_response_started{connection_failure}", flags: ["UF"] },
      ["failed", "upstream_connection_failure", 503],
      "upstream_connection_failure",
      { complete: true },
    ],
    [
      "a body too large for Envoy",
      { ending: "rejected", reason: "answered_by_envoy", status: 413 },
      { status: 413, details: "request_payload_too_large" },
      ["rejected", "request_too_large", 413],
      undefined,
      { forwarded: false },
    ],
    [
      "our own refusal keeps its reason",
      { ending: "blocked", reason: "pii_violation", status: 403, ours: true },
      { status: 403, details: "vsr_pii" },
      ["blocked", "pii_violation", 403],
      undefined,
      { forwarded: false },
    ],
    [
      "our own stop is told as such, whatever Envoy makes of it",
      { ...cut, cutBy: "shutdown" },
      { details: "ext_proc_error_gRPC_error_14{shutting%20down}" },
      ["aborted", "shutdown", 200],
      "shutdown",
    ],
    [
      "our own refusal, and a client that did not wait for it",
      { ending: "rejected", reason: "invalid_json", status: 400, ours: true },
      { ...gone, status: 0 },
      ["rejected", "invalid_json", undefined],
      undefined,
      { forwarded: false },
    ],
    [
      "upstream's 404, cut by the client, is no answer of Envoy's",
      { ...cut, status: 404, words: { details: "via_upstream", flags: [] } },
      { ...gone, status: 404 },
      ["aborted", "client_disconnect", 404],
      "client_disconnect",
    ],
    [
      "the processor was not shown the answer's end, and Envoy says it was whole",
      { ...cut, shown: false },
      {},
      ["forwarded", undefined, 200],
      undefined,
    ],
    [
      "one of the streams of a connection that its client closed",
      cut,
      { details: "", flags: [] },
      ["aborted", "client_disconnect", 200],
      "client_disconnect",
    ],
    [
      "a WebSocket that its client ends",
      { ending: "passthrough", status: 101, shown: false },
      { ...gone, status: 101 },
      ["passthrough", "client_disconnect", 101],
      undefined,
      { complete: true },
    ],
    [
      "an answer that is not shown, cut by the client",
      { status: 200, shown: false },
      gone,
      ["aborted", "client_disconnect", 200],
      "client_disconnect",
      { complete: true },
    ],
    [
      "another of them, which Envoy takes for answered",
      cut,
      {},
      ["aborted", "client_disconnect", 200],
      "client_disconnect",
    ],
    [
      "a status that is none",
      { status: 200 },
      { status: 4_000_000 },
      ["forwarded", undefined, undefined],
      undefined,
      { complete: true },
    ],
    [
      "words that nobody knows are passed on",
      { ending: "failed", reason: "answered_by_envoy", status: 500 },
      { status: 500, details: "something_new" },
      ["failed", "answered_by_envoy", 500],
      "answered_by_envoy",
      { forwarded: false },
    ],
  ];
  for (const [name, story, entry, outcome, error, options = {}] of rows) {
    test(name, () => {
      const played = play(story, entry, options);
      assert.deepEqual(played.outcome, outcome);
      assert.deepEqual(played.errors, [error, options.forwarded === false ? undefined : error]);
      if (error) assert.equal(played.root["error.type"], error);
    });
  }

  test("Envoy has gone, and its log with it", () => {
    const at = new Trace("root", { traceId: "a".repeat(32), flags: 1, state: "", propagates: true });
    conclude(
      at,
      { ending: "aborted", reason: "ended_mid_response", words: { details: "via_upstream", flags: [] } },
      undefined,
      true,
    );
    const root = attributesOf(at.root.attributes);
    assert.deepEqual(
      [root.outcome, root["outcome.reason"], root["response.code_details"]],
      ["aborted", "envoy_gone", undefined],
    );
  });

  test("what Envoy saw is on the spans", () => {
    const { root, call } = play(
      cut,
      { ...gone, peer: { address: "10.0.0.1", port: 8000 }, attempts: 3, flags: ["DC", "URX"] },
      {},
    );
    assert.deepEqual(
      [root["response.code_details"], root["response.flags"]],
      ["downstream_remote_disconnect", "DC,URX"],
    );
    assert.deepEqual(
      [call["network.peer.address"], call["network.peer.port"], call["http.request.resend_count"]],
      ["10.0.0.1", 8000, 2],
    );
  });
});

describe("when it ended", () => {
  const whole = { complete: true };
  test("as Envoy says, on the clock of the spans", () => {
    assert.deepEqual(play({ status: 200 }, {}, whole).ends, [94, 84]);
  });
  test("without a log, as the stream says", () => {
    assert.deepEqual(play({ status: 200 }, undefined, whole).ends, [100, 90]);
  });
  test("a call that was cut ends with its exchange", () => {
    const entry = { details: "downstream_remote_disconnect", flags: ["DC"], upstreamEndMs: undefined };
    assert.deepEqual(play({ ending: "aborted" }, entry).ends, [94, 94]);
  });
  test("nothing ends after its root, and nothing before its start", () => {
    assert.deepEqual(play({ status: 200 }, {}, { ...whole, lateChildMs: 97 }).ends, [97, 84]);
    assert.deepEqual(play({ status: 200, lastHeardMs: 0 }, { upstreamEndMs: 1 }, whole).ends, [94, 10]);
    assert.deepEqual(play({ status: 200, lastHeardMs: 0 }, { durationMs: 0 }, whole).ends, [10, 10]);
  });
  test("nothing ends before it was heard of, and nothing in the future", () => {
    assert.deepEqual(play({ status: 200 }, { durationMs: 7, upstreamEndMs: 6 }, whole).ends, [80, 80]);
    const [root, call] = play({ status: 200 }, { durationMs: 2 ** 53, upstreamEndMs: 2 ** 50 }, whole).ends;
    assert.ok(Number(root) >= 200 && Number(root) < 400 && root === call);
    assert.deepEqual(play({ status: 200 }, { durationMs: -5e9, upstreamEndMs: -5 }, whole).ends, [80, 80]);
  });
  test("of a clock that is not ours only durations are taken", () => {
    for (const startUs of [Date.now() * 1000 + 60e6, Date.now() * 1000 - 3.6e9, (Date.now() - 500) * 1000]) {
      assert.deepEqual(play({ status: 200 }, { startUs }, whole).ends, [95, 85]);
    }
  });
});
