/** Envoy's short names for its response flags, as far as bits and fields agree: field n of `ResponseFlags` is bit n - 1. */
const shortFlags = [
  "",
  "LH",
  "UH",
  "UT",
  "LR",
  "UR",
  "UF",
  "UC",
  "UO",
  "NR",
  "DI",
  "FI",
  "RL",
  "UAEX",
  "RLSE",
  "DC",
  "URX",
  "SI",
  "IH",
  "DPE",
  "UMSDR",
  "RFCF",
  "NFCF",
  "DT",
  "UPE",
  "NC",
  "OM",
  "DF",
];
/** The access log has no field for an overload that drops. */
const byField = [...shortFlags, "DR"];
const byBit = [...shortFlags, "DO", "DR", "UDO"];

/** The flag with that field number, as `%RESPONSE_FLAGS%` prints it; undefined for one this version does not know. */
export const flagName = (field: number): string | undefined => byField[field] || undefined;

/** The names of the bits set in the attribute `response.flags`. */
export function flagsOf(bits: number): string[] {
  return byBit.filter((name, field) => name !== "" && Math.floor(bits / 2 ** (field - 1)) % 2 === 1);
}

/** What Envoy says of how an exchange went: `%RESPONSE_CODE_DETAILS%` and the short names of its response flags. */
export interface Words {
  readonly details: string;
  readonly flags: readonly string[];
}

/** The first line that fits decides: what ended an exchange stands before what followed from it. */
const byDetails: readonly (readonly [pattern: RegExp, cause: string])[] = [
  [/^ext_proc_error.*message_timeout/, "processor_timeout"],
  [/^ext_proc_error|header_mutation|spurious_message/, "processor_error"],
  [/^downstream_remote|^http2\.remote_/, "client_disconnect"],
  // Envoy closed the client's connection: it drains, or ends.
  [/^downstream_local_disconnect|drain/, "drain"],
  [/^stream_idle_timeout|^downstream_idle_timeout/, "idle_timeout"],
  [/^(?:response_timeout|upstream_per_try_(?:idle_)?timeout|upstream_response_timeout)/, "upstream_timeout"],
  [/max_(?:stream_)?duration/, "duration_timeout"],
  [/^request_(?:overall|header)_timeout/, "request_timeout"],
  [/^request_payload_too_large/, "request_too_large"],
  [/^response_payload_too_large/, "response_too_large"],
  [/connection_failure|connection_timeout/, "upstream_connection_failure"],
  [/^upstream_reset.*overflow/, "upstream_overflow"],
  [/^upstream_reset/, "upstream_reset"],
  [/^no_healthy_upstream/, "no_healthy_upstream"],
  [/^(?:cluster_not_found|route_not_found)/, "no_route"],
  [/^overload/, "overload"],
];

const byFlag: readonly (readonly [flag: string, cause: string])[] = [
  ["DC", "client_disconnect"],
  ["DR", "client_disconnect"],
  ["SI", "idle_timeout"],
  ["UT", "upstream_timeout"],
  ["DT", "duration_timeout"],
  ["UMSDR", "duration_timeout"],
  ["DF", "dns_failure"],
  ["UF", "upstream_connection_failure"],
  ["UO", "upstream_overflow"],
  ["UPE", "upstream_protocol_error"],
  ["UR", "upstream_reset"],
  ["UC", "upstream_reset"],
  ["UH", "no_healthy_upstream"],
  ["NC", "no_route"],
  ["NR", "no_route"],
  ["DPE", "client_protocol_error"],
  ["OM", "overload"],
  ["DO", "overload"],
  ["UDO", "overload"],
  ["RL", "rate_limited"],
  ["UAEX", "unauthorized"],
];

/** Why Envoy ended an exchange, in the words of `outcome.reason`; undefined where it ended by itself or nothing tells. */
export function causeOf({ details, flags }: Words): string | undefined {
  return (
    byDetails.find(([pattern]) => pattern.test(details))?.[1] ??
    byFlag.find(([flag]) => flags.includes(flag))?.[1]
  );
}

/** Ends of an answer that had begun, or of a connection: no answer of Envoy's. */
const noAnswer = /^(?:via_upstream$|vsr_|downstream_|upstream_reset_after_response_started|http[12]\.)/;

/** Whether Envoy itself answered the client; false where the answer is upstream's, ours, or nothing is known. */
export function isLocalReply(details: string | undefined): boolean {
  return details !== undefined && details !== "" && !noAnswer.test(details);
}
