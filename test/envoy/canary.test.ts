import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { envoyMissing } from "../support/envoy.ts";
import { found, marks, type Place } from "./canary/marks.ts";
import { playCanaries, type Traces, type Variant } from "./canary/stage.ts";

const limitMs = 120_000;

/** What upstream said goes to the client who asked. */
const fromUpstream: readonly Place[] = ["answer", "streamedAnswer", "upstreamError", "upstreamHeader"];

const json = (value: unknown) =>
  JSON.stringify(value, (_, part) => (typeof part === "bigint" ? String(part) : part));

/** Each thing that anybody may read, by name, with what must be in it where it was looked at in earnest. */
function assertSilent({ answers, spans, log, out, accessLog }: Traces, allowed: readonly Place[] = []): void {
  for (const span of spans) assert.deepEqual(found(json(span), allowed), [], `${span.name}: ${json(span)}`);
  for (const line of [...log.split("\n"), ...out.split("\n")])
    assert.deepEqual(found(line, allowed), [], `a line of the router: ${line}`);
  for (const line of accessLog.split("\n")) assert.deepEqual(found(line), [], `a line of Envoy: ${line}`);
  for (const { request, answer } of answers) {
    if (answer) assert.deepEqual(found(answer.text, fromUpstream), [], `answer to "${request.name}"`);
    if (answer && answer.status >= 400 && !request.upstream)
      assert.deepEqual(found(answer.text), [], `error of "${request.name}": ${answer.text}`);
  }
  const { id } = answers[0]!;
  assert.ok(accessLog.includes(id) && log.includes('"msg":"stopped"'));
}

/** Every exchange became what it was to become: a canary that takes another way proves nothing. */
function assertOutcomes({ answers, spans }: Traces): void {
  for (const { request, id, answer } of answers) {
    const root = spans.find(({ attributes }) => attributes["request.id"] === id);
    assert.ok(root, `"${request.name}" has no trace`);
    if (request.outcome !== "") assert.equal(root.attributes.outcome, request.outcome, request.name);
    if (request.status !== undefined) assert.equal(answer?.status, request.status, request.name);
  }
}

const silent: readonly (readonly [name: string, variant: Variant, also: (traces: Traces) => void])[] = [
  ["over OTLP", { collector: "receiver" }, assertOutcomes],
  [
    "over OTLP, in the names of another convention",
    { collector: "receiver", tracing: { provider: "openinference" } },
    assertOutcomes,
  ],
  [
    "to standard output",
    { collector: "stdout", tracing: { provider: "openllmetry" } },
    ({ out, answers }) => {
      for (const { id } of answers) assert.ok(out.includes(id), "every trace is printed");
    },
  ],
  [
    "to a collector that quotes what it refuses, while no guard can work",
    { collector: "refusing", inference: { deadline_ms: 1 } },
    ({ log }) => {
      assert.match(log, /Failed to export spans/);
      assert.match(log, /a guard could not work/);
    },
  ],
  [
    "to a collector that is down",
    { collector: "down" },
    ({ log }) => assert.match(log, /Failed to export spans/),
  ],
];

describe("no mark of anybody's content or secret is told", { skip: envoyMissing, timeout: limitMs }, () => {
  for (const [name, variant, also] of silent)
    test(name, { timeout: limitMs }, async () => {
      const traces = await playCanaries(variant);
      also(traces);
      assertSilent(traces);
    });

  test("with capture_content prompts and answers are found, nothing else is, and the log says so", {
    timeout: limitMs,
  }, async () => {
    const traces = await playCanaries({ collector: "receiver", tracing: { capture_content: true } });
    const content: readonly Place[] = [
      "prompt",
      "systemPrompt",
      "earlierTurn",
      "assistantTurn",
      "toolName",
      "toolArguments",
      "toolResult",
      "completionPrompt",
      "configuredPrompt",
      "answer",
      "streamedAnswer",
    ];
    assertSilent(traces, content);
    const told = traces.spans.filter((span) => found(json(span)).length > 0);
    assert.deepEqual([...new Set(told.map(({ name }) => name))], ["semantic_router.upstream.request"]);
    const all = json(told);
    for (const place of ["prompt", "answer", "streamedAnswer", "configuredPrompt"] as const)
      assert.ok(all.includes(marks[place]), `the search finds ${place}`);
    assert.match(all, /\[EMAIL_ADDRESS\].*\[PHONE_NUMBER\]/);
    assert.match(traces.log, /"capture_content":"true|content is captured/);
  });
});
