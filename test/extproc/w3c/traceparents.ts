import { good, named, parentId, traceId, type W3cCase } from "./case.ts";

const isNew = { flags: "new", tracestate: "none" } as const;
const state = "a=1,b=2";

/** A traceparent with a tracestate beside it: they stay together, or go together. */
const parent = (name: string, values: string | readonly string[], flags: W3cCase["flags"], suite?: string) =>
  ({
    name,
    headers: [...[values].flat().map((value) => ["traceparent", value] as const), ["tracestate", state]],
    flags,
    tracestate: flags === "new" ? "none" : state,
    ...(suite && { suite }),
  }) satisfies W3cCase;

const from = (version: string, end = "") => `${version}-${traceId}-${parentId}-01${end}`;
const withTrace = (id: string) => `00-${id}-${parentId}-01`;
const withParent = (id: string) => `00-${traceId}-${id}-01`;
const withFlags = (flags: string) => `00-${traceId}-${parentId}-${flags}`;

export const traceparents: readonly W3cCase[] = [
  named("neither header", [], isNew, "both_traceparent_and_tracestate_missing"),
  named(
    "traceparent alone",
    [["traceparent", good]],
    { flags: "01", tracestate: "none" },
    "traceparent_included_tracestate_missing",
  ),
  parent("not sampled", withFlags("00"), "00"),
  parent("random trace id, not sampled", withFlags("02"), "02", "propagates_random_flag"),
  parent("random and sampled", withFlags("03"), "03"),
  parent("flags nobody has defined, all", withFlags("ff"), "03"),
  parent("flags nobody has defined, only", withFlags("fc"), "00"),
  parent("empty", "", "new"),
  parent("twice, differing", [good, withTrace("1".repeat(32))], "new", "traceparent_duplicated"),
  parent("twice the same", [good, good], "new"),
  parent("good, then bad", [good, "x"], "new"),
  parent("good, then empty", [good, ""], "new"),
  parent("twice in one line", `${good},${good}`, "new"),
  parent("twice in one line, with a space", `${good}, ${good}`, "new"),
  named("header named trace-parent", [["trace-parent", good]], isNew, "traceparent_header_name"),
  named("header named trace.parent", [["trace.parent", good]], isNew, "traceparent_header_name"),
  ...["TraceParent", "TrAcEpArEnT", "TRACEPARENT"].map((header) =>
    named(
      `header named ${header}`,
      [[header, good]],
      { flags: "01", tracestate: "none" },
      "traceparent_header_name_valid_casing",
    ),
  ),
  parent("version 00 with a dot behind", from("00", "."), "new", "traceparent_version_0x00"),
  parent("version 00 with more", from("00", "-more-to-come"), "new", "traceparent_version_0x00"),
  parent("version 00 with a dash behind", from("00", "-"), "new"),
  parent("version 01", from("01"), "01"),
  parent("version 01 with one more field", from("01", "-x"), "01"),
  parent("version cc", from("cc"), "01", "traceparent_version_0xcc"),
  parent("version cc with more", from("cc", "-more-to-come"), "01", "traceparent_version_0xcc"),
  parent("version cc with an empty field", from("cc", "-"), "01"),
  parent(
    "version cc with more, without its dash",
    from("cc", ".more-to-come"),
    "new",
    "traceparent_version_0xcc",
  ),
  parent("version cc with longer flags", from("cc", "00"), "new"),
  parent("version ff", from("ff"), "new", "traceparent_version_0xff"),
  parent("version ff with more", from("ff", "-x"), "new"),
  parent("version .0", from(".0"), "new", "traceparent_version_illegal_characters"),
  parent("version 0.", from("0."), "new", "traceparent_version_illegal_characters"),
  parent("upper-case version", from("0A"), "new"),
  parent("version of three digits", from("000"), "new", "traceparent_version_too_long"),
  parent("version of four digits", from("0000"), "new", "traceparent_version_too_long"),
  parent("version of one digit", from("0"), "new", "traceparent_version_too_short"),
  parent("trace id of zeros", withTrace("0".repeat(32)), "new", "traceparent_trace_id_all_zero"),
  parent(
    "trace id with a dot in front",
    withTrace(`.${"1".repeat(31)}`),
    "new",
    "traceparent_trace_id_illegal_characters",
  ),
  parent(
    "trace id with a dot at its end",
    withTrace(`${"1".repeat(31)}.`),
    "new",
    "traceparent_trace_id_illegal_characters",
  ),
  parent("upper-case trace id", withTrace("ABCDEF12".repeat(4)), "new"),
  parent("trace id too long", withTrace(`${traceId}1`), "new", "traceparent_trace_id_too_long"),
  parent("trace id too short", withTrace("1".repeat(31)), "new", "traceparent_trace_id_too_short"),
  parent("parent id of zeros", withParent("0".repeat(16)), "new", "traceparent_parent_id_all_zero"),
  parent(
    "parent id with a dot in front",
    withParent(`.${"1".repeat(15)}`),
    "new",
    "traceparent_parent_id_illegal_characters",
  ),
  parent(
    "parent id with a dot at its end",
    withParent(`${"1".repeat(15)}.`),
    "new",
    "traceparent_parent_id_illegal_characters",
  ),
  parent("parent id beyond hex", withParent(`g${"1".repeat(15)}`), "new"),
  parent("upper-case parent id", withParent("ABCDEF12".repeat(2)), "new"),
  parent("parent id too long", withParent(`${parentId}1`), "new", "traceparent_parent_id_too_long"),
  parent("parent id too short", withParent("1".repeat(15)), "new", "traceparent_parent_id_too_short"),
  parent("flags .0", withFlags(".0"), "new", "traceparent_trace_flags_illegal_characters"),
  parent("flags 0.", withFlags("0."), "new", "traceparent_trace_flags_illegal_characters"),
  parent("upper-case flags", withFlags("0A"), "new"),
  parent("flags of three digits", withFlags("001"), "new", "traceparent_trace_flags_too_long"),
  parent("flags of one digit", withFlags("1"), "new", "traceparent_trace_flags_too_short"),
  parent("no flags", `00-${traceId}-${parentId}`, "new"),
  parent("underscores for dashes", good.replaceAll("-", "_"), "new"),
  parent("a space inside", `00- ${traceId}-${parentId}-01`, "new"),
  parent("one space in front", ` ${good}`, "01", "traceparent_ows_handling"),
  parent("two spaces in front", `  ${good}`, "01"),
  parent("a tab in front", `\t${good}`, "01", "traceparent_ows_handling"),
  parent("one space behind", `${good} `, "01", "traceparent_ows_handling"),
  parent("a tab behind", `${good}\t`, "01", "traceparent_ows_handling"),
  parent("tabs and spaces around", `\t ${good} \t`, "01", "traceparent_ows_handling"),
  { ...parent("a line break behind", `${good}\n`, "new"), unsendable: "a line break ends the header" },
  named("tracestate alone", [["tracestate", "foo=1"]], isNew, "tracestate_included_traceparent_missing"),
  named(
    "tracestate alone, two members",
    [["tracestate", "foo=1,bar=2"]],
    isNew,
    "tracestate_included_traceparent_missing",
  ),
];
