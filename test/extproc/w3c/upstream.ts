import assert from "node:assert/strict";
import { type Pair, valuesOf } from "../header-mutation.ts";
import { parentId, traceId, type W3cCase } from "./case.ts";

const form = /^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[0-3])$/;

/** The one traceparent that upstream got, in its parts. */
export function traceparentOf(headers: readonly Pair[]) {
  const values = valuesOf(headers, "traceparent");
  const [, trace, span, flags] = (values.length === 1 && form.exec(values[0]!)) || [];
  assert.ok(trace && span && flags, `upstream got the traceparents ${JSON.stringify(values)}`);
  return { trace, span, flags };
}

/** Holds what upstream got against what the case expects. @param sent the trace id that stood for the case's. */
export function assertUpstream({ flags, tracestate }: W3cCase, headers: readonly Pair[], sent = traceId) {
  const got = traceparentOf(headers);
  assert.equal(got.trace === sent, flags !== "new", `trace ${got.trace}, sent ${sent}`);
  assert.ok(/[1-9a-f]/.test(got.trace) && /[1-9a-f]/.test(got.span), "an id of zeros");
  assert.notEqual(got.span, parentId);
  assert.equal(got.flags, flags === "new" ? "03" : flags);
  assert.deepEqual(valuesOf(headers, "tracestate"), tracestate === "none" ? [] : [tracestate]);
}
