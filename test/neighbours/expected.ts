import assert from "node:assert/strict";
import type { ReceivedSpan } from "../../scripts/demo/otlp-receiver.ts";
import type { Scope } from "../support/trace-search.ts";
import { type ExchangeName, SERVICE, type Sent } from "./exchanges.ts";
import { SAMPLE_REQUEST_ID } from "./guide.ts";

type Named = Pick<ReceivedSpan, "traceId" | "name" | "startNs" | "endNs" | "resource">;

const searchedRequest: ExchangeName = "specified";
const blocked: readonly ExchangeName[] = ["PII block", "jailbreak block"];

/** By the guide's heading: which exchanges are found. A duration tells about any exchange, so it is looked up. */
const expected: Readonly<
  Record<string, readonly ExchangeName[] | { longest: string; atLeastMs: number; surely: ExchangeName }>
> = {
  "Slow requests": { longest: "semantic_router.request.received", atLeastMs: 2000, surely: "slow" },
  "Classification bottlenecks": { longest: "semantic_router.classification", atLeastMs: 50, surely: "long" },
  "Cache hits": ["cache hit"],
  "Cache misses": ["answered", "specified", "slow", "long", "404 upstream", "503 upstream", "upstream dead"],
  "Failed requests": ["404 upstream", "503 upstream", "upstream dead"],
  "One request": [searchedRequest],
  "Blocked requests": blocked,
  "Blocked for personal data": ["PII block"],
};

/** The headings there have to be. */
export const tasks: readonly string[] = Object.keys(expected);

/** The search with the id of a real request in place of the guide's. */
export const searchFor = (text: string, sent: ReadonlyMap<ExchangeName, Sent>): string =>
  text.replace(SAMPLE_REQUEST_ID, sent.get(searchedRequest)!.requestId);

/** Fails unless these are the traces that the search of the guide under this heading has to find. */
export function checkFound(
  task: string,
  found: ReadonlySet<string>,
  sent: ReadonlyMap<ExchangeName, Sent>,
  spans: readonly Named[],
  scope: Scope = "span",
): void {
  const names = [...sent].filter(([, { traceId }]) => found.has(traceId)).map(([name]) => name);
  assert.equal(names.length, found.size, `${task}: found traces of nobody`);
  const wanted = expected[task];
  assert.ok(wanted, `${task}: no expectation`);
  if (!("longest" in wanted)) {
    // Badger lets the spans of a trace satisfy the conditions together.
    const all = scope === "trace" && task === "Blocked for personal data" ? blocked : wanted;
    assert.deepEqual(names.sort(), [...all].sort(), task);
    return;
  }
  assert.ok(names.includes(wanted.surely), `${task}: ${wanted.surely} is missing among ${names}`);
  const ofTrace = Map.groupBy(spans, ({ traceId }) => traceId);
  const isLong = (traceId: string) => {
    const trace = ofTrace.get(traceId) ?? [];
    const named = trace.filter(({ name, resource }) => name === wanted.longest && isOurs(resource));
    return (
      named.length > 0 &&
      (scope === "trace" ? trace : named).some(
        ({ startNs, endNs }) => endNs - startNs >= BigInt(wanted.atLeastMs) * 1_000_000n,
      )
    );
  };
  for (const [name, { traceId }] of sent)
    assert.equal(names.includes(name), isLong(traceId), `${task}: ${name}`);
}

const isOurs = (resource: Readonly<Record<string, unknown>>) => resource["service.name"] === SERVICE;
