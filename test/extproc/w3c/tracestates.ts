import { good, named, type W3cCase } from "./case.ts";

/** A tracestate beside a good traceparent, which stands whatever the tracestate is. */
const list = (name: string, values: string | readonly string[], tracestate: string, suite?: string) =>
  ({
    name,
    headers: [["traceparent", good], ...[values].flat().map((value) => ["tracestate", value] as const)],
    flags: "01",
    tracestate,
    ...(suite && { suite }),
  }) satisfies W3cCase;

const members = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => `bar${first + i}=${first + i}`).join(",");
const long = (length: number, char = "z") => char.repeat(length);
const keyChars = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
const valueChars = Array.from({ length: 0x5f }, (_, i) => String.fromCharCode(0x20 + i))
  .filter((char) => char !== "," && char !== "=")
  .join("");
/** 32 members of 513 characters, as large as they may be. */
const largest = Array.from(
  { length: 32 },
  (_, i) => `${String(i).padStart(256, "k")}=${long(256, "v")}`,
).join(",");

export const tracestates: readonly W3cCase[] = [
  list("two members", "foo=1,bar=2", "foo=1,bar=2", "tracestate_included_traceparent_included"),
  named(
    "header named trace-state",
    [
      ["traceparent", good],
      ["trace-state", "foo=1"],
    ],
    { flags: "01", tracestate: "none" },
    "tracestate_header_name",
  ),
  named(
    "header named trace.state",
    [
      ["traceparent", good],
      ["trace.state", "foo=1"],
    ],
    { flags: "01", tracestate: "none" },
    "tracestate_header_name",
  ),
  ...["TraceState", "TrAcEsTaTe", "TRACESTATE"].map((header) =>
    named(
      `header named ${header}`,
      [
        ["traceparent", good],
        [header, "foo=1"],
      ],
      { flags: "01", tracestate: "foo=1" },
      "tracestate_header_name_valid_casing",
    ),
  ),
  named(
    "tracestate in front of traceparent",
    [
      ["tracestate", "foo=1"],
      ["traceparent", good],
      ["tracestate", "bar=2"],
    ],
    { flags: "01", tracestate: "foo=1,bar=2" },
  ),
  list("empty tracestate", "", "none", "tracestate_empty_header"),
  list("a member, then an empty line", ["foo=1", ""], "foo=1", "tracestate_empty_header"),
  list("an empty line, then a member", ["", "foo=1"], "foo=1", "tracestate_empty_header"),
  list(
    "three lines",
    ["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
    "foo=1,bar=2,rojo=1,congo=2,baz=3",
    "tracestate_multiple_headers_different_keys",
  ),
  list("the same member twice", "foo=1,foo=1", "foo=1", "tracestate_duplicated_keys"),
  list("a key twice", "foo=1,foo=2", "foo=1", "tracestate_duplicated_keys"),
  list("the same member on two lines", ["foo=1", "foo=1"], "foo=1", "tracestate_duplicated_keys"),
  list("a key on two lines", ["foo=1,bar=2", "foo=2"], "foo=1,bar=2", "tracestate_duplicated_keys"),
  list(
    "every character of keys and values",
    `${keyChars}=${valueChars}`,
    `${keyChars}=${valueChars}`,
    "tracestate_all_allowed_characters",
  ),
  list(
    "every character, and a vendor",
    `${keyChars}@a-z0-9_-*/=${valueChars}`,
    `${keyChars}@a-z0-9_-*/=${valueChars}`,
    "tracestate_all_allowed_characters",
  ),
  list(
    "blanks around members",
    "foo=1 \t , \t bar=2, \t baz=3",
    "foo=1,bar=2,baz=3",
    "tracestate_ows_handling",
  ),
  list(
    "tabs around members",
    "foo=1\t \t,\t \tbar=2,\t \tbaz=3",
    "foo=1,bar=2,baz=3",
    "tracestate_ows_handling",
  ),
  ...([" foo=1", "\tfoo=1", "foo=1 ", "foo=1\t", "\t foo=1 \t"] as const).map((value) =>
    list(`blanks: ${JSON.stringify(value)}`, value, "foo=1", "tracestate_ows_handling"),
  ),
  list("empty members", ",foo=1,, ,bar=2,", "foo=1,bar=2"),
  list("a blank within a value", "foo=1 2", "foo=1 2"),
  list("a blank at the start of a value", "foo= 1", "foo= 1"),
  list("key that begins with a digit", "0foo=1", "0foo=1"),
  list("key that ends in @", "foo@=1,bar=2", "foo@=1,bar=2"),
  list("key with two @", "foo@bar@baz=1,bar=2", "foo@bar@baz=1,bar=2"),
  list("a blank in front of =", "foo =1,bar=2", "none", "tracestate_key_illegal_characters"),
  list("upper-case key", "FOO=1,bar=2", "none", "tracestate_key_illegal_characters"),
  list("key with a dot", "foo.bar=1,bar=2", "none", "tracestate_key_illegal_characters"),
  list("key that begins with @", "@foo=1,bar=2", "none", "tracestate_key_illegal_vendor_format"),
  list("key that begins with _", "_foo=1,bar=2", "none"),
  list("no key", "=1,bar=2", "none"),
  list("no =", "foo,bar=2", "none"),
  list(
    "32 members on four lines",
    [members(1, 10), members(11, 20), members(21, 30), members(31, 32)],
    members(1, 32),
    "tracestate_member_count_limit",
  ),
  list("32 members on 32 lines", members(1, 32).split(","), members(1, 32)),
  list("32 members and empty ones", `,${members(1, 32)},,`, members(1, 32)),
  list(
    "33 members on four lines",
    [members(1, 10), members(11, 20), members(21, 30), members(31, 33)],
    "none",
    "tracestate_member_count_limit",
  ),
  list("33 members on one line", members(1, 33), "none"),
  list(
    "key of 256 characters",
    ["foo=1", `${long(256)}=1`],
    `foo=1,${long(256)}=1`,
    "tracestate_key_length_limit",
  ),
  list("key of 257 characters", ["foo=1", `${long(257)}=1`], "none", "tracestate_key_length_limit"),
  list("long tenant", `${long(242)}@v=1`, `${long(242)}@v=1`),
  list("value of 256 characters", `foo=${long(256)}`, `foo=${long(256)}`),
  list("value of 257 characters", `foo=${long(257)},bar=2`, "none"),
  list("512 characters", `foo=${long(250)},bar=${long(253)}`, `foo=${long(250)},bar=${long(253)}`),
  list("32 members as large as they may be", largest, largest),
  list("value with =", "foo=bar=baz", "none", "tracestate_value_illegal_characters"),
  list("empty value", "foo=,bar=3", "none", "tracestate_value_illegal_characters"),
  list("a tab within a value", "foo=1\t2,bar=2", "none"),
  list("a letter beyond ASCII", "foo=\u00fc,bar=2", "none"),
  { ...list("a control character", "foo=1\u007f,bar=2", "none"), unsendable: "Envoy refuses the request" },
];
