import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LogEntry } from "../../src/extproc/access-log.ts";
import { conclude, type Story } from "../../src/extproc/story.ts";
import { upstreamRequest } from "../../src/pipeline/upstream-request.ts";
import { Trace } from "../../src/telemetry/trace.ts";

const attributesOf = (attributes: readonly unknown[]) => {
  const found: Record<string, unknown> = {};
  for (let i = 0; i < attributes.length; i += 2) found[attributes[i] as string] = attributes[i + 1];
  return found;
};

/** An exchange that began at 1000 ms and whose stream ended at 1100, its upstream call lasting from 1010 to 1090. */
function play(
  story: Partial<Story>,
  entry?: Partial<LogEntry>,
  { forwarded = true, complete = false, lateChildMs = 0 } = {},
) {
  const at = new Trace("root", { traceId: "a".repeat(32), flags: 1, state: "", propagates: true });
  const move = (span: object, startMs: number) => Object.defineProperty(span, "startMs", { value: startMs });
  move(at.root, 1000);
  const stage = at.open("stage");
  move(stage, 1001);
  stage.end(1005);
  const upstream = forwarded
    ? upstreamRequest(at, { operation: "chat", model: "m", backend: undefined })
    : undefined;
  const call = at.children[1];
  if (call && upstream) {
    move(call, 1010);
    upstream.end(complete);
    call.endMs = 1090;
  }
  if (lateChildMs > 0) stage.endMs = lateChildMs;
  at.root.endMs = 1100;
  const told: Story = { ending: "forwarded", upstream, ...story };
  conclude(
    at,
    told,
    entry && {
      requestId: "r",
      startMs: at.epochOffsetMs + 999,
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
    ends: [at.root.endMs, call?.endMs].map((ms) => ms && Math.round(ms)),
    call: attributesOf(call?.attributes ?? []),
  };
}

describe("how an exchange ended", () => {
  const cut: Partial<Story> = { ending: "aborted", reason: "ended_mid_response", status: 200 };
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
      { ending: "blocked", reason: "pii_violation", status: 403 },
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
    assert.deepEqual(play({ status: 200 }, {}, whole).ends, [1094, 1084]);
  });
  test("without a log, as the stream says", () => {
    assert.deepEqual(play({ status: 200 }, undefined, whole).ends, [1100, 1090]);
  });
  test("a call that was cut ends with its exchange", () => {
    const entry = { details: "downstream_remote_disconnect", flags: ["DC"], upstreamEndMs: undefined };
    assert.deepEqual(play({ ending: "aborted" }, entry).ends, [1094, 1094]);
  });
  test("nothing ends after its root, and nothing before its start", () => {
    assert.deepEqual(play({ status: 200 }, {}, { ...whole, lateChildMs: 1097 }).ends, [1097, 1084]);
    assert.deepEqual(play({ status: 200 }, { upstreamEndMs: 200 }, whole).ends, [1094, 1094]);
    assert.deepEqual(play({ status: 200 }, { upstreamEndMs: 1 }, whole).ends, [1094, 1010]);
    assert.deepEqual(play({ status: 200 }, { durationMs: 0 }, whole).ends, [1010, 1010]);
  });
  test("of a clock that is not ours only durations are taken", () => {
    for (const startMs of [Date.now() + 60_000, Date.now() - 3_600_000]) {
      assert.deepEqual(play({ status: 200 }, { startMs }, whole).ends, [1095, 1085]);
    }
  });
});
