/** What proto-loader makes of `otlp.proto`: 64-bit numbers as strings, enums as names, every field present. */
export type WireExport = { resource_spans: WireResourceSpans[] };
type WireResourceSpans = {
  resource: { attributes: WireKeyValue[] } | null;
  scope_spans: { scope: { name: string; version: string } | null; spans: WireSpan[] }[];
};
type WireSpan = {
  trace_id: Buffer;
  span_id: Buffer;
  parent_span_id: Buffer;
  trace_state: string;
  name: string;
  kind: SpanKind | "UNSPECIFIED";
  start_time_unix_nano: string;
  end_time_unix_nano: string;
  attributes: WireKeyValue[];
  events: { time_unix_nano: string; name: string; attributes: WireKeyValue[] }[];
  links: {
    trace_id: Buffer;
    span_id: Buffer;
    trace_state: string;
    attributes: WireKeyValue[];
    flags: number;
  }[];
  status: { message: string; code: StatusCode } | null;
  flags: number;
};
type WireKeyValue = { key: string; value: WireValue | null };
type WireValue = {
  value?:
    | "string_value"
    | "bool_value"
    | "int_value"
    | "double_value"
    | "array_value"
    | "kvlist_value"
    | "bytes_value";
  string_value?: string;
  bool_value?: boolean;
  int_value?: string;
  double_value?: number;
  bytes_value?: Buffer;
  array_value?: { values: WireValue[] };
  kvlist_value?: { values: WireKeyValue[] };
};

export type SpanKind = "INTERNAL" | "SERVER" | "CLIENT" | "PRODUCER" | "CONSUMER";
export type StatusCode = "UNSET" | "OK" | "ERROR";
export type Attributes = Record<string, unknown>;

/** A span as the collector of a user would see it. Ids are lower-case hex; a root has an empty `parentSpanId`. */
export type ReceivedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: SpanKind | "UNSPECIFIED";
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Attributes;
  readonly status: { readonly code: StatusCode; readonly message: string };
  readonly links: readonly {
    traceId: string;
    spanId: string;
    traceState: string;
    attributes: Attributes;
    flags: number;
  }[];
  readonly events: readonly { name: string; timeNs: bigint; attributes: Attributes }[];
  readonly resource: Attributes;
  readonly scope: { readonly name: string; readonly version: string };
  readonly traceState: string;
  readonly flags: number;
};

export function receivedSpans(message: WireExport): ReceivedSpan[] {
  return message.resource_spans.flatMap(({ resource, scope_spans }) => {
    const shared = attributes(resource?.attributes ?? []);
    return scope_spans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        traceId: span.trace_id.toString("hex"),
        spanId: span.span_id.toString("hex"),
        parentSpanId: span.parent_span_id.toString("hex"),
        name: span.name,
        kind: span.kind,
        startNs: BigInt(span.start_time_unix_nano),
        endNs: BigInt(span.end_time_unix_nano),
        attributes: attributes(span.attributes),
        status: { code: span.status?.code ?? "UNSET", message: span.status?.message ?? "" },
        links: span.links.map((link) => ({
          traceId: link.trace_id.toString("hex"),
          spanId: link.span_id.toString("hex"),
          traceState: link.trace_state,
          attributes: attributes(link.attributes),
          flags: link.flags,
        })),
        events: span.events.map((event) => ({
          name: event.name,
          timeNs: BigInt(event.time_unix_nano),
          attributes: attributes(event.attributes),
        })),
        resource: shared,
        scope: { name: scope?.name ?? "", version: scope?.version ?? "" },
        traceState: span.trace_state,
        flags: span.flags,
      })),
    );
  });
}

function attributes(pairs: readonly WireKeyValue[]): Attributes {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, plain(value)]));
}

function plain(wire: WireValue | null): unknown {
  switch (wire?.value) {
    case undefined:
      return undefined;
    case "int_value": {
      const exact = BigInt(wire?.int_value ?? 0);
      const number = Number(exact);
      return Number.isSafeInteger(number) ? number : exact;
    }
    case "array_value":
      return (wire?.array_value?.values ?? []).map(plain);
    case "kvlist_value":
      return attributes(wire?.kvlist_value?.values ?? []);
    default:
      return wire?.[wire.value];
  }
}
