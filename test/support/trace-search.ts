import type { ReceivedSpan } from "../../scripts/demo/otlp-receiver.ts";

/** A search as Jaeger's page and its `/api/traces` take it. */
export interface TraceSearch {
  readonly service: string;
  readonly operation?: string;
  /** Compared as strings; `error=true` is the status ERROR. */
  readonly tags: Readonly<Record<string, string>>;
  readonly minDurationNs?: bigint;
}

/**
 * What has to satisfy a search: one `span` alone (Jaeger's memory, Elasticsearch and OpenSearch storage), or the spans
 * of a `trace` together, each condition by any of them (Badger).
 */
export type Scope = "span" | "trace";

/** Reads `/api/traces?service=...&operation=...&tags={...}&minDuration=2s`. Throws at anything it does not know. */
export function readSearch(url: string): TraceSearch {
  const { pathname, searchParams } = new URL(url, "http://jaeger");
  if (pathname !== "/api/traces") throw new Error(`${url}: not a search of Jaeger's`);
  const { service, operation, tags = "{}", minDuration, ...unknown } = Object.fromEntries(searchParams);
  if (!service) throw new Error(`${url}: a search needs a service`);
  if (Object.keys(unknown).length > 0) throw new Error(`${url}: unknown ${Object.keys(unknown).join(", ")}`);
  const read = JSON.parse(tags) as Record<string, unknown>;
  for (const [key, value] of Object.entries(read)) {
    if (typeof value !== "string") throw new Error(`${url}: Jaeger refuses a tag that is no string: ${key}`);
    if (key === "error" && value !== "true") throw new Error(`${url}: only error=true has one meaning`);
  }
  return {
    service,
    ...(operation && { operation }),
    tags: read as Record<string, string>,
    ...(minDuration && { minDurationNs: nanoseconds(minDuration) }),
  };
}

/** Ids of the traces that a Jaeger with these spans would find. */
export function findTraces(
  spans: readonly ReceivedSpan[],
  { service, operation, tags, minDurationNs }: TraceSearch,
  scope: Scope = "span",
): Set<string> {
  const isOurs = (span: ReceivedSpan) => span.resource["service.name"] === service;
  const conditions: ((span: ReceivedSpan) => boolean)[] = [
    isOurs,
    ...(operation ? [(span: ReceivedSpan) => isOurs(span) && span.name === operation] : []),
    ...Object.entries(tags).map(
      ([key, value]) =>
        (span: ReceivedSpan) =>
          isOurs(span) && hasTag(span, key, value),
    ),
    ...(minDurationNs ? [(span: ReceivedSpan) => span.endNs - span.startNs >= minDurationNs] : []),
  ];
  return tracesWhere(spans, (trace) =>
    scope === "span"
      ? trace.some((span) => conditions.every((holds) => holds(span)))
      : conditions.every((holds) => trace.some(holds)),
  );
}

/** Attributes of the span, its resource and its events, as strings. */
function hasTag(span: ReceivedSpan, key: string, value: string): boolean {
  if (key === "error") return span.status.code === "ERROR";
  const places = [span.attributes, span.resource, ...span.events.map(({ attributes }) => attributes)];
  return places.some((attributes) => key in attributes && asText(attributes[key]) === value);
}

const asText = (value: unknown): string =>
  typeof value === "object" ? JSON.stringify(value) : String(value as string);

/** The TraceQL that the guide uses: one pair of braces, conditions joined by `&&`. Throws at anything else. */
export function findByTraceQl(spans: readonly ReceivedSpan[], query: string): Set<string> {
  const inside = /^\{ (.+) \}$/.exec(query)?.[1];
  if (!inside) throw new Error(`${query}: expected { ... }`);
  const conditions = inside.split(" && ").map(condition);
  return tracesWhere(spans, (trace) => trace.some((span) => conditions.every((holds) => holds(span))));
}

const comparisons: Readonly<Record<string, (a: number | bigint, b: number | bigint) => boolean>> = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
};

function condition(text: string): (span: ReceivedSpan) => boolean {
  const [, field, operator, value] =
    /^(name|status|duration|(?:span|resource)\.[a-z0-9_.]+) (=|!=|>=|>|<=|<) (\S+)$/.exec(text) ?? [];
  if (!field || !operator || !value) throw new Error(`${text}: not understood`);
  const compare = comparisons[operator];
  if (field === "duration") {
    if (!compare) throw new Error(`${text}: a duration is compared by <, <=, > or >=`);
    return ({ startNs, endNs }) => compare(endNs - startNs, nanoseconds(value));
  }
  const wanted = field === "status" ? value : (JSON.parse(value) as string | number | boolean);
  // Unlike Jaeger's, these comparisons have types: "false" is not false. A list matches by any of its elements.
  return (span) => {
    const found = fieldOf(span, field);
    if (found === undefined) return false;
    if (compare) return typeof found === "number" && typeof wanted === "number" && compare(found, wanted);
    const equal = Array.isArray(found) ? found.includes(wanted) : found === wanted;
    return equal === (operator === "=");
  };
}

function fieldOf(span: ReceivedSpan, field: string): unknown {
  if (field === "name") return span.name;
  if (field === "status") return span.status.code.toLowerCase();
  const dot = field.indexOf(".");
  const attributes = field.startsWith("resource.") ? span.resource : span.attributes;
  return attributes[field.slice(dot + 1)];
}

const units: Readonly<Record<string, bigint>> = { ms: 1_000_000n, s: 1_000_000_000n, m: 60_000_000_000n };

function nanoseconds(text: string): bigint {
  const [, number, unit] = /^(\d+)(ms|s|m)$/.exec(text) ?? [];
  if (!number || !unit) throw new Error(`${text} is not a duration such as 2s or 50ms`);
  return BigInt(number) * units[unit]!;
}

function tracesWhere(
  spans: readonly ReceivedSpan[],
  holds: (trace: readonly ReceivedSpan[]) => boolean,
): Set<string> {
  const traces = Map.groupBy(spans, ({ traceId }) => traceId);
  return new Set([...traces].filter(([, trace]) => holds(trace)).map(([id]) => id));
}
