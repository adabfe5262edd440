/** A remote span: W3C Trace Context Level 2. */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  /** Bit 0 sampled, bit 1 random trace id; all other bits cleared. */
  readonly flags: number;
  /** The valid `tracestate` members, joined by commas; empty if there are none. */
  readonly state: string;
}

const traceparentForm = /^[ \t]*([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*?)?[ \t]*$/;
const zeros = /^0+$/;
const memberKey = /^[a-z0-9][a-z0-9_\-*/@]{0,255}$/;
const memberValue = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const maxMembers = 32;
/** Characters; the specification asks for 512 at least. Each span carries it, and a batch has many spans. */
const longestState = 2048;

/**
 * Reads the trace context from all `traceparent` and `tracestate` values of a request, in their order.
 * @returns undefined where there is none or it is invalid: more than one traceparent is invalid too.
 */
export function readTraceContext(
  traceparents: readonly string[],
  tracestates: readonly string[],
): SpanContext | undefined {
  const only = traceparents.length === 1 ? traceparents[0] : undefined;
  const match = only === undefined ? null : traceparentForm.exec(only);
  if (!match) return undefined;
  const [, version, traceId, spanId, flags, rest] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ];
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (zeros.test(traceId) || zeros.test(spanId)) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) & 3, state: readTracestate(tracestates) };
}

/** An invalid list is dropped whole; it never makes the traceparent invalid. Of equal keys the first counts: it is newer. */
function readTracestate(values: readonly string[]): string {
  const members: string[] = [];
  const keys = new Set<string>();
  for (const part of values.join(",").split(",")) {
    const member = part.replace(/^[ \t]+|[ \t]+$/g, "");
    if (member === "") continue;
    const equals = member.indexOf("=");
    const key = member.slice(0, Math.max(equals, 0));
    if (!memberKey.test(key) || !memberValue.test(member.slice(equals + 1))) return "";
    if (keys.has(key)) continue;
    keys.add(key);
    members.push(member);
  }
  if (members.length > maxMembers) return "";
  // Whole members go, from the end: the newest are first.
  while (members.join(",").length > longestState) members.pop();
  return members.join(",");
}

/** The `traceparent` that names `spanId` as the parent of what follows. */
export function formatTraceparent(traceId: string, spanId: string, flags: number): string {
  return `00-${traceId}-${spanId}-0${flags & 3}`;
}
