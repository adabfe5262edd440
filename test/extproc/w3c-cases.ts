import type { W3cCase } from "./w3c/case.ts";
import { traceparents } from "./w3c/traceparents.ts";
import { tracestates } from "./w3c/tracestates.ts";

/** The whole of W3C Trace Context Level 2 that a single request can show. */
export const w3cCases: readonly W3cCase[] = [...traceparents, ...tracestates];

/** Tests of the W3C suite that need several requests; they have tests of their own. */
export const severalRequests = [
  "multiple_requests_with_valid_traceparent",
  "multiple_requests_without_traceparent",
  "multiple_requests_with_illegal_traceparent",
];

/** A case as a row of docs/w3c-trace-context.md. */
export function pageRow({ name, headers, flags, tracestate, suite, unsendable }: W3cCase): string[] {
  const sent = headers.filter(([header]) => header.toLowerCase() === "tracestate").map(([, value]) => value);
  const short = tracestate.length <= 40 && !tracestate.includes("|");
  const got =
    tracestate === "none"
      ? "none"
      : short
        ? `\`${tracestate}\``
        : `${sent.length > 1 ? "joined" : "all"}, ${tracestate.length} characters`;
  return [
    name,
    flags === "new" ? "new trace" : `same trace, ${flags}`,
    got,
    suite ? `\`${suite}\`` : "",
    unsendable ? `passes without Envoy: ${unsendable}` : "passes",
  ];
}
