import assert from "node:assert/strict";
import type { Reply } from "../../examples/opentelemetry/dummy_client.ts";
import type { OtlpReceiver, ReceivedSpan } from "../../scripts/demo/otlp-receiver.ts";

/** The four spans that a joined trace hangs on. */
export type Chain = {
  readonly client: ReceivedSpan;
  readonly root: ReceivedSpan;
  readonly upstream: ReceivedSpan;
  /** One for each choice. */
  readonly llm: readonly ReceivedSpan[];
  readonly spans: readonly ReceivedSpan[];
};

export const ROOT = "semantic_router.request.received";
export const UPSTREAM = "semantic_router.upstream.request";
export const LLM = "llm_request";
const WITHIN_MS = 15_000;

export const named = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan[] =>
  spans.filter((span) => span.name === name);

/** Waits for all of a call's spans, from client to model server, and checks that they are one tree. */
export async function joined(
  receiver: OtlpReceiver,
  { traceId, spanId }: Pick<Reply, "traceId" | "spanId">,
  choices = 1,
): Promise<Chain> {
  const spans = await receiver.waitFor(
    traceId,
    (all) =>
      ["client-span", ROOT, UPSTREAM].every((name) => named(all, name).length > 0) &&
      named(all, LLM).length >= choices,
    WITHIN_MS,
  );
  const only = (name: string): ReceivedSpan => {
    const found = named(spans, name);
    assert.equal(found.length, 1, `${found.length} spans ${name}`);
    return found[0]!;
  };
  const [client, root, upstream] = [only("client-span"), only(ROOT), only(UPSTREAM)];
  const llm = named(spans, LLM);
  assert.equal(llm.length, choices);

  assert.equal(client.spanId, spanId);
  assert.equal(client.parentSpanId, "");
  assert.equal(root.parentSpanId, client.spanId);
  assert.equal(upstream.parentSpanId, root.spanId);
  for (const one of llm) assert.equal(one.parentSpanId, upstream.spanId);
  for (const span of spans) {
    const ofRouter = span.name.startsWith("semantic_router.") && span !== root;
    if (ofRouter) assert.equal(span.parentSpanId, root.spanId, span.name);
  }
  assert.deepEqual(
    [client, root, upstream, ...llm].map(({ kind }) => kind),
    ["CLIENT", "SERVER", "CLIENT", ...llm.map(() => "SERVER")],
  );
  assert.deepEqual(
    [...new Set([client, root, upstream, ...llm].map(({ resource }) => resource["service.name"]))],
    ["client-service", "vllm-semantic-router", "vllm-server"],
  );
  return { client, root, upstream, llm, spans };
}

export const durationNs = ({ startNs, endNs }: ReceivedSpan): number => Number(endNs - startNs);
