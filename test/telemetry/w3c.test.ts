import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { encodeTraces } from "../../src/telemetry/otlp-encode.ts";
import { toReadableSpans } from "../../src/telemetry/readable.ts";
import { Trace } from "../../src/telemetry/trace.ts";
import { formatTraceparent, readTraceContext, recordedState } from "../../src/telemetry/w3c.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const span = "b7ad6b7169203331";
const good = `00-${trace}-${span}-01`;

describe("traceparent", () => {
  const rows: readonly [string, readonly string[], number | undefined][] = [
    ["as it should be", [good], 1],
    ["not sampled", [`00-${trace}-${span}-00`], 0],
    ["random trace id", [`00-${trace}-${span}-02`], 2],
    ["random and sampled", [`00-${trace}-${span}-03`], 3],
    ["flags nobody has defined are cleared", [`00-${trace}-${span}-ff`], 3],
    ["and only those", [`00-${trace}-${span}-fc`], 0],
    ["none", [], undefined],
    ["empty", [""], undefined],
    ["twice, differing", [good, `00-${"1".repeat(32)}-${span}-01`], undefined],
    ["twice the same", [good, good], undefined],
    ["twice, joined by a proxy", [`${good},${good}`], undefined],
    ["twice, joined with a space", [`${good}, ${good}`], undefined],
    ["one space before", [` ${good}`], 1],
    ["two spaces before", [`  ${good}`], 1],
    ["tabs and spaces around", [`\t ${good} \t`], 1],
    ["a line break before", [`\n${good}`], undefined],
    ["a line break after", [`${good}\n`], undefined],
    ["a space inside", [`00- ${trace}-${span}-01`], undefined],
    ["version ff", [`ff-${trace}-${span}-01`], undefined],
    ["version ff, longer", [`ff-${trace}-${span}-01-x`], undefined],
    ["a later version", [`cc-${trace}-${span}-01`], 1],
    ["a later version with more", [`cc-${trace}-${span}-01-what-is-to-come`], 1],
    ["a later version with an empty rest", [`cc-${trace}-${span}-01-`], 1],
    ["a later version with more and a space", [`01-${trace}-${span}-03-x `], 3],
    ["a later version without its dash", [`cc-${trace}-${span}-01.what`], undefined],
    ["a later version with longer flags", [`cc-${trace}-${span}-0100`], undefined],
    ["version 00 with more", [`${good}-more`], undefined],
    ["version 00 with a dash", [`${good}-`], undefined],
    ["version 00 with a dot", [`${good}.`], undefined],
    ["a version of one digit", [`0-${trace}-${span}-01`], undefined],
    ["a version of three", [`000-${trace}-${span}-01`], undefined],
    ["a version that is no number", [`.0-${trace}-${span}-01`], undefined],
    ["an upper-case version", [`0A-${trace}-${span}-01`], undefined],
    ["a trace id of zeros", [`00-${"0".repeat(32)}-${span}-01`], undefined],
    ["a short trace id", [`00-${trace.slice(1)}-${span}-01`], undefined],
    ["a long trace id", [`00-${trace}1-${span}-01`], undefined],
    ["an upper-case trace id", [`00-${trace.toUpperCase()}-${span}-01`], undefined],
    ["a trace id with a stranger", [`00-.${trace.slice(1)}-${span}-01`], undefined],
    ["a parent id of zeros", [`00-${trace}-${"0".repeat(16)}-01`], undefined],
    ["a short parent id", [`00-${trace}-${span.slice(1)}-01`], undefined],
    ["a long parent id", [`00-${trace}-${span}1-01`], undefined],
    ["an upper-case parent id", [`00-${trace}-${span.toUpperCase()}-01`], undefined],
    ["a parent id with a stranger", [`00-${trace}-g${span.slice(1)}-01`], undefined],
    ["flags of one digit", [`00-${trace}-${span}-1`], undefined],
    ["flags of three", [`00-${trace}-${span}-001`], undefined],
    ["flags that are no number", [`00-${trace}-${span}-0.`], undefined],
    ["upper-case flags", [`00-${trace}-${span}-0A`], undefined],
    ["no flags", [`00-${trace}-${span}`], undefined],
    ["underscores", [good.replaceAll("-", "_")], undefined],
  ];
  for (const [name, values, flags] of rows) {
    test(`${name}: ${flags === undefined ? "invalid" : `flags ${flags}`}`, () => {
      const expected =
        flags === undefined ? undefined : { traceId: trace, spanId: span, flags, state: "a=1" };
      // What makes the traceparent invalid takes the tracestate with it.
      assert.deepEqual(readTraceContext(values, ["a=1"]), expected);
    });
  }
});

describe("tracestate", () => {
  const members = (count: number) => Array.from({ length: count }, (_, i) => `k${i}=${i}`);
  const long = (length: number) => "k".repeat(length);
  const anyValue = Array.from({ length: 0x5f }, (_, i) => String.fromCharCode(0x20 + i))
    .filter((char) => char !== "," && char !== "=")
    .join("");
  const rows: readonly [string, readonly string[], string][] = [
    ["none", [], ""],
    ["empty", [""], ""],
    ["one", ["a=1"], "a=1"],
    ["several headers, in order", ["a=1,b=2", "c=3", "d=4"], "a=1,b=2,c=3,d=4"],
    ["an empty header between", ["a=1", "", "b=2"], "a=1,b=2"],
    ["empty members", [",a=1,, ,b=2,"], "a=1,b=2"],
    ["white space around members", [" a=1 \t ,\t b=2 "], "a=1,b=2"],
    ["white space within a value", ["a=1 2"], "a=1 2"],
    ["a value that begins with a space", ["a= 1"], "a= 1"],
    ["every character a key may have", ["a0_-*/@z=1"], "a0_-*/@z=1"],
    ["every character a value may have", [`a=${anyValue}`], `a=${anyValue}`],
    ["a key that begins with a digit", ["0a=1"], "0a=1"],
    ["a tenant key", ["fw529a3039@dt=1"], "fw529a3039@dt=1"],
    ["a key that ends in an at", ["foo@=1"], "foo@=1"],
    ["a key with two ats", ["a@b@c=1"], "a@b@c=1"],
    ["a long tenant", [`${long(242)}@v=1`], `${long(242)}@v=1`],
    ["a key of 256", [`${long(256)}=1`], `${long(256)}=1`],
    ["a value of 256", [`a=${long(256)}`], `a=${long(256)}`],
    ["32 members", members(32).map(String), members(32).join(",")],
    ["32 members and empty ones", [`${members(32).join(",")},,`], members(32).join(",")],
    ["of equal keys the first", ["foo=1,bar=2", "foo=3"], "foo=1,bar=2"],
    // From here on the list is invalid, and dropped whole.
    ["33 members", members(33), ""],
    ["a key of 257", ["a=1", `${long(257)}=1`], ""],
    ["a value of 257", [`b=1,a=${long(257)}`], ""],
    ["an empty value", ["foo=,bar=3"], ""],
    ["a value with an equals sign", ["foo=bar=baz,bar=1"], ""],
    ["no equals sign", ["foo,bar=1"], ""],
    ["no key", ["=1,bar=1"], ""],
    ["an upper-case key", ["FOO=1,bar=1"], ""],
    ["a key with a dot", ["foo.bar=1,bar=1"], ""],
    ["a key with a space after", ["foo =1,bar=1"], ""],
    ["a key that begins with an at", ["@foo=1,bar=1"], ""],
    ["a key that begins with an underscore", ["_foo=1,bar=1"], ""],
    ["a tab within a value", ["a=1\t2,bar=1"], ""],
    ["a letter beyond ASCII", ["a=ü,bar=1"], ""],
    ["a control character", ["a=1\u007f,bar=1"], ""],
  ];
  for (const [name, values, state] of rows) {
    test(`${name}: ${state === "" ? "nothing is kept" : "kept"}, and the traceparent stands`, () => {
      assert.deepEqual(readTraceContext([good], values), { traceId: trace, spanId: span, flags: 1, state });
    });
  }

  test("at least 512 characters go on, uncut", () => {
    const state = Array.from({ length: 4 }, (_, i) => `k${i}=${"v".repeat(197)}`).join(",");
    assert.equal(readTraceContext([good], [state])?.state, state);
  });
});

test("what goes on is version 00, in two digits of flags", () => {
  for (const [flags, text] of [
    [0, "00"],
    [1, "01"],
    [2, "02"],
    [3, "03"],
    [0xff, "03"],
  ] as const) {
    assert.equal(formatTraceparent(trace, span, flags), `00-${trace}-${span}-${text}`);
    assert.equal(readTraceContext([formatTraceparent(trace, span, flags)], [])?.flags, flags & 3);
  }
});

describe("what spans record of a tracestate", () => {
  const sized = (key: string, length: number) => `${key}=${"v".repeat(length - key.length - 1)}`;
  const small = (key: string) => sized(key, 100);
  const large = (key: string) => sized(key, 129);
  const rows: readonly [string, readonly string[], readonly string[]][] = [
    ["nothing", [], []],
    ["512 characters", [sized("a", 255), sized("b", 256)], ["a", "b"]],
    ["513 characters lose the last large one", [sized("a", 256), sized("b", 256)], ["a"]],
    [
      "a large member goes before small ones behind it",
      [large("a"), ..."bcdef".split("").map(small)],
      [..."bcdef"],
    ],
    ["128 characters are not large", [sized("a", 128), ..."bcdef".split("").map(small)], [..."abcd"]],
    [
      "of large ones the last, and no more than need be",
      [large("a"), small("b"), large("c"), small("d"), large("e")],
      [..."abcd"],
    ],
    ["with large ones gone, from the end", [large("a"), ..."bcdefgh".split("").map(small)], [..."bcdef"]],
    ["one too large by itself", [`${"k".repeat(256)}=${"v".repeat(256)}`], []],
  ];
  const trace = (state: string) => {
    const one = new Trace("root", { traceId: "1".repeat(32), flags: 1, state, propagates: true });
    one.root.end();
    return one;
  };
  const origin = { resource: {}, scope: { name: "s", version: "1" } };
  for (const [name, members, keys] of rows) {
    test(name, () => {
      const state = members.join(",");
      const expected = members.filter((member) => keys.includes(member.split("=")[0]!)).join(",");
      // Upstream, it all goes on.
      assert.equal(readTraceContext([good], [state])?.state, state);
      assert.equal(recordedState(state), expected);
      assert.ok(expected.length <= 512);
      const bytes = encodeTraces([trace(state)], origin);
      assert.ok(bytes.includes(expected) && bytes.length === encodeTraces([trace(expected)], origin).length);
      const [span] = toReadableSpans(trace(state), resourceFromAttributes({}), origin.scope);
      assert.equal(span!.spanContext().traceState?.serialize() ?? "", expected);
    });
  }

  test("what goes upstream is never cut", () => {
    const members = Array.from({ length: 32 }, (_, i) => `k${i}=${"v".repeat(256)}`);
    assert.equal(readTraceContext([good], members)?.state, members.join(","));
  });
});
