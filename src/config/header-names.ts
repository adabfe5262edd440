const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
// What may stand in a header's value; a line break, most often one at the end of a secret, would end the header.
const control = /[^\t\x20-\x7e\x80-\xff]/;

/** Headers that gRPC and HTTP set themselves. */
const transports = new Set(
  (
    "connection content-encoding content-length content-type host keep-alive proxy-connection te trailer " +
    "transfer-encoding upgrade user-agent"
  ).split(" "),
);

/** Headers that carry credentials, and those that tracing itself owns. */
const credentials = new Set(
  "authorization proxy-authorization cookie set-cookie x-api-key api-key".split(" "),
);
const tracing = new Set("traceparent tracestate baggage".split(" "));

/** Whether this may name a header at all. */
export const isHeaderName = (name: string) => token.test(name);

/** Why this header cannot be sent to a collector; undefined if it can. Never shows the value. */
export function exportHeaderFault(name: string, value = ""): string | undefined {
  if (!isHeaderName(name)) return "is not a header name";
  const lower = name.toLowerCase();
  if (transports.has(lower) || lower.startsWith("grpc-")) return "is set by the transport itself";
  return control.test(value)
    ? "has a value with a line break or another character no header can carry"
    : undefined;
}

/** Why this request header may not become an attribute; undefined if it may. Of credentials, only a hash may. */
export function recordedHeaderFault(name: string, isHashed = false): string | undefined {
  if (!isHeaderName(name)) return "is not a header name";
  const lower = name.toLowerCase();
  if (credentials.has(lower) && !isHashed) return "carries credentials, which never become attributes";
  if (tracing.has(lower)) return "belongs to tracing itself";
  return name === lower ? undefined : `must be in lower case: ${lower}`;
}
