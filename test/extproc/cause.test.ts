import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { causeOf, flagName, flagsOf, isLocalReply } from "../../src/extproc/cause.ts";

/** `%RESPONSE_CODE_DETAILS%`, flags, and what they mean. Every line of the two tables in cause.ts, and their order. */
const causes: readonly (readonly [details: string, flags: string, cause: string | undefined])[] = [
  ["via_upstream", "", undefined],
  ["vsr_cache_hit", "", undefined],
  ["", "", undefined],
  ["something_of_a_later_version", "", undefined],
  ["something_of_a_later_version", "DI,RFCF", undefined],

  ["ext_proc_error_gRPC_error_14{message_timeout}", "", "processor_timeout"],
  ["ext_proc_error_gRPC_error_14", "", "processor_error"],
  ["ext_proc_error_spurious_message", "", "processor_error"],
  ["spurious_message", "", "processor_error"],
  ["invalid_header_mutation_result", "", "processor_error"],
  ["downstream_remote_disconnect", "DC", "client_disconnect"],
  ["http2.remote_reset", "DR", "client_disconnect"],
  ["http2.remote_refuse", "", "client_disconnect"],
  ["downstream_local_disconnect(purging_socket_that_have_not_progressed_to_connections)", "DC", "drain"],
  ["stream_idle_timeout", "SI", "idle_timeout"],
  ["downstream_idle_timeout", "", "idle_timeout"],
  ["response_timeout", "UT", "upstream_timeout"],
  ["upstream_response_timeout", "UT", "upstream_timeout"],
  ["upstream_per_try_timeout", "UT", "upstream_timeout"],
  ["upstream_per_try_idle_timeout", "SI", "upstream_timeout"],
  ["upstream_max_stream_duration_reached", "UMSDR", "duration_timeout"],
  ["max_duration_timeout", "DT", "duration_timeout"],
  ["request_overall_timeout", "", "request_timeout"],
  ["request_header_timeout", "", "request_timeout"],
  ["request_payload_too_large", "", "request_too_large"],
  ["response_payload_too_large", "", "response_too_large"],
  [
    "upstream_reset_before_response_started{remote_connection_failure,delayed_connect_error:_111}",
    "UF",
    "upstream_connection_failure",
  ],
  ["upstream_reset_before_response_started{connection_timeout}", "UF", "upstream_connection_failure"],
  ["upstream_reset_before_response_started{overflow}", "UO", "upstream_overflow"],
  ["upstream_reset_before_response_started{connection_termination}", "UC", "upstream_reset"],
  ["upstream_reset_after_response_started{protocol_error}", "UPE", "upstream_reset"],
  ["no_healthy_upstream", "UH", "no_healthy_upstream"],
  ["cluster_not_found", "NC", "no_route"],
  ["route_not_found", "NR", "no_route"],
  ["overload", "OM", "overload"],

  // What only a flag tells.
  ["", "DC", "client_disconnect"],
  ["", "DR", "client_disconnect"],
  ["", "SI", "idle_timeout"],
  ["", "UT", "upstream_timeout"],
  ["", "DT", "duration_timeout"],
  ["", "UMSDR", "duration_timeout"],
  ["", "DF", "dns_failure"],
  ["", "UF", "upstream_connection_failure"],
  ["", "UO", "upstream_overflow"],
  ["", "UPE", "upstream_protocol_error"],
  ["", "UR", "upstream_reset"],
  ["", "UC", "upstream_reset"],
  ["", "UH", "no_healthy_upstream"],
  ["", "NC", "no_route"],
  ["", "NR", "no_route"],
  ["", "DPE", "client_protocol_error"],
  ["", "OM", "overload"],
  ["", "DO", "overload"],
  ["", "UDO", "overload"],
  ["", "RL", "rate_limited"],
  ["", "UAEX", "unauthorized"],

  // Details decide before flags; of two flags the one that ended it, whatever the order they come in.
  ["response_timeout", "DC", "upstream_timeout"],
  ["via_upstream", "DC", "client_disconnect"],
  ["", "UC,DC", "client_disconnect"],
  ["", "UR,UF", "upstream_connection_failure"],
  ["", "URX,UC", "upstream_reset"],
];

describe("why Envoy ended an exchange", () => {
  for (const [details, flags, cause] of causes)
    test(`${details || "no details"}, flags ${flags || "none"}: ${cause ?? "by itself"}`, () => {
      assert.equal(causeOf({ details, flags: flags.split(",") }), cause);
    });
});

test("who answered: Envoy itself, upstream, or the processor", () => {
  const local = [
    "response_timeout",
    "no_healthy_upstream",
    "ext_proc_error_gRPC_error_14",
    "direct_response",
  ];
  for (const details of local) assert.equal(isLocalReply(details), true, details);
  for (const details of [undefined, "", "via_upstream", "vsr_malformed", "vsr_cache_hit"])
    assert.equal(isLocalReply(details), false, details);
});

/** Flags that Envoy sends both as bits of an attribute and as fields of its log, in the order of their bits. */
const shared =
  "LH UH UT LR UR UF UC UO NR DI FI RL UAEX RLSE DC URX SI IH DPE UMSDR RFCF NFCF DT UPE NC OM DF".split(" ");

test("the bits of response.flags", () => {
  const bits = [...shared, "DO", "DR", "UDO"];
  for (const [bit, name] of bits.entries()) assert.deepEqual(flagsOf(2 ** bit), [name]);
  assert.deepEqual(flagsOf(0), []);
  assert.deepEqual(flagsOf(2 ** 14 + 2 ** 2), ["UT", "DC"]);
  assert.deepEqual(flagsOf(2 ** bits.length), []);
  assert.deepEqual(flagsOf(2 ** 40 + 1), ["LH"]);
});

test("the fields of ResponseFlags: bit n is field n + 1, but for the client's reset, which has one bit more", () => {
  for (const [bit, name] of shared.entries()) assert.equal(flagName(bit + 1), name);
  assert.equal(flagName(28), "DR");
  assert.equal(flagName(0), undefined);
  assert.equal(flagName(29), undefined);
});
