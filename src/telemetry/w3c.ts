/** A remote span: W3C Trace Context Level 2. */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  /** Bit 0 sampled, bit 1 random trace id; all other bits cleared. */
  readonly flags: number;
  /** All `tracestate` members, whole and in order, joined by commas; empty if there are none or the list is invalid. */
  readonly state: string;
}

const traceparentForm = /^[ \t]*([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*?)?[ \t]*$/;
const zeros = /^0+$/;
const memberKey = /^[a-z0-9][a-z0-9_\-*/@]{0,255}$/;
const memberValue = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const maxMembers = 32;
/** Characters, commas included. Each span of a trace carries it; upstream, in one header, gets everything. */
const longestRecorded = 512;
/** Characters. Members above it are the first to go. */
const largeMember = 128;

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
  return members.length > maxMembers ? "" : members.join(",");
}

/**
 * What spans record of a forwarded `tracestate`: at most 512 characters of it. Whole members go, large ones first, and
 * from the end, since the newest stand in front.
 */
export function recordedState(state: string): string {
  let excess = state.length - longestRecorded;
  if (excess <= 0) return state;
  const kept = state.split(",");
  for (const least of [largeMember + 1, 0]) {
    for (let i = kept.length - 1; i >= 0 && excess > 0; i -= 1) {
      if (kept[i]!.length < least) continue;
      excess -= kept[i]!.length + 1;
      kept.splice(i, 1);
    }
  }
  return kept.join(",");
}

/** The `traceparent` that names `spanId` as the parent of what follows. */
export function formatTraceparent(traceId: string, spanId: string, flags: number): string {
  return `00-${traceId}-${spanId}-0${flags & 3}`;
}
