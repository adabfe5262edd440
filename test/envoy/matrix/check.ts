import assert from "node:assert/strict";
import type { ReceivedSpan } from "../../../scripts/demo/otlp-receiver.ts";
import type { Cell } from "./cell.ts";
import type { Seen } from "./client.ts";
import { usage } from "./upstream.ts";

/** The one check of every cell: its trace is whole and true. @returns `outcome`, or `outcome / reason`. */
export function checkTrace(cell: Cell, seen: Seen, spans: readonly ReceivedSpan[], log: boolean): string {
  const { expected, name } = cell;
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === cell.clientSpanId);
  assert.equal(roots.length, 1, `${name}: roots`);
  const root = roots[0]!;
  assert.equal(root.name, "semantic_router.request.received", name);
  assert.equal(root.attributes["request.id"], cell.requestId, name);
  checkShape(name, root, spans);

  const { attributes } = root;
  const lastWord = expected.reason === "envoy_gone" && attributes["outcome.reason"] === "drain";
  const told = [attributes.outcome, lastWord ? "envoy_gone" : attributes["outcome.reason"], root.status.code];
  assert.deepEqual(
    told,
    [expected.outcome, expected.reason, expected.failed ? "ERROR" : "UNSET"],
    `${name}: ${attributes["response.code_details"]} ${attributes["response.flags"]}`,
  );
  assert.equal(seen.status, expected.status, `${name}: status that the client saw`);
  assert.equal(
    attributes["http.response.status_code"],
    expected.statusUnknown ? undefined : expected.status,
    `${name}: status of the root`,
  );
  if (log && expected.reason !== "envoy_gone") checkWords(cell, attributes);
  checkSilence(cell, spans);
  // What began under one configuration ends under it.
  const generation = { "configuration reloads in flight": 1, "Envoy drains": 2, "Envoy ends": 2 };
  const { [cell.column.name as keyof typeof generation]: began = 1 } = generation;
  assert.equal(attributes["config.generation"], began, `${name}: generation`);
  checkUpstream(cell, spans);
  return told.slice(0, 2).filter(Boolean).join(" / ");
}

/** All spans closed, different, children of the root, within it. */
function checkShape(name: string, root: ReceivedSpan, spans: readonly ReceivedSpan[]): void {
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length, `${name}: a span came twice`);
  assert.equal(new Set(spans.map((span) => span.name)).size, spans.length, `${name}: a stage twice`);
  for (const span of spans) {
    const of = `${name}: ${span.name}`;
    if (span !== root) assert.equal(span.parentSpanId, root.spanId, `${of} is no child of the root`);
    assert.ok(span.startNs > 0n && span.endNs >= span.startNs, `${of} did not end`);
    assert.ok(span.startNs >= root.startNs, `${of} starts before its root`);
    assert.ok(span.endNs <= root.endNs, `${of} ends after its root`);
  }
}

/** Envoy's flags by what upstream does and what the client does. */
const flagOf: Readonly<Record<string, RegExp>> = {
  refuse: /^UF$/,
  think: /^UT$/,
  silence: /^SI$/,
  // How a reset looks depends on how much of the answer Envoy has parsed.
  reset: /^(UC|UPE)$/,
  half: /^DC$/,
  "leaves-waiting": /^DC$/,
  "leaves-mid-answer": /^DC$/,
  "leaves-after-done": /^DC$/,
  "resets-mid-answer": /^DR$/,
};

/** What only Envoy's log knows. */
function checkWords({ name, column }: Cell, attributes: ReceivedSpan["attributes"]): void {
  assert.ok(attributes["response.code_details"], `${name}: details`);
  const flag = flagOf[column.client] ?? flagOf[column.upstream];
  if (flag) assert.match(String(attributes["response.flags"]), flag, `${name}: flags`);
  else if (column.client !== "held") assert.equal(attributes["response.flags"], undefined, `${name}: flags`);
}

/** The silences are a second long, and spans last as long as what they tell of. */
function checkSilence({ name, column }: Cell, spans: readonly ReceivedSpan[]): void {
  if (column.upstream !== "think" && column.upstream !== "silence") return;
  for (const { kind, startNs, endNs } of spans)
    if (kind !== "INTERNAL")
      assert.ok(endNs - startNs > 950_000_000n, `${name}: its ${kind} span is too short`);
}

function checkUpstream({ name, row, expected }: Cell, spans: readonly ReceivedSpan[]): void {
  const upstream = spans.find((span) => span.name === "semantic_router.upstream.request");
  assert.equal(upstream !== undefined, expected.forwarded, `${name}: upstream span`);
  if (!upstream) return;
  const { attributes, status } = upstream;
  assert.equal(status.code, expected.failed ? "ERROR" : "UNSET", `${name}: status of the upstream span`);
  assert.equal(
    attributes["http.response.status_code"],
    expected.byEnvoy ? undefined : expected.status,
    `${name}: upstream`,
  );
  assert.equal(attributes["http.request.resend_count"], expected.resent, `${name}: attempts`);

  const told = [
    attributes["gen_ai.usage.input_tokens"],
    attributes["gen_ai.usage.output_tokens"],
    attributes["gen_ai.usage.estimated"],
  ];
  const exact = [usage.prompt_tokens, usage.completion_tokens, undefined];
  const byFrames = [undefined, 2, true];
  const wanted = { exact, estimated: byFrames, none: [undefined, undefined, undefined] }[expected.usage];
  assert.deepEqual(told, wanted, `${name}: usage of a ${row.answer} answer`);
}
