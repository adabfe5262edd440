import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { JsonError, type JsonNode, member, numberText, parseJson, stringValue } from "../../src/chat/json.ts";
import { Generator } from "./json-generator.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** The value that the tree stands for, read from nothing but its spans. */
function toValue(node: JsonNode, bytes: Uint8Array): unknown {
  switch (node.kind) {
    case "object":
      return Object.fromEntries(node.members.map((one) => [one.key, toValue(one.value, bytes)]));
    case "array":
      return node.items.map((item) => toValue(item, bytes));
    case "string":
      return stringValue(node, bytes);
    case "number":
      return Number(numberText(node, bytes));
    case "boolean":
      return node.value;
    case "null":
      return null;
  }
}

function fault(bytes: Uint8Array, options: { maxDepth?: number } = {}): JsonError {
  try {
    parseJson(bytes, options);
  } catch (error) {
    assert.ok(error instanceof JsonError);
    return error;
  }
  throw new Error("was accepted");
}

const accepted = [
  ...[
    "0",
    "-0",
    "-1",
    "10",
    "1.0",
    "1e400",
    "1E-2",
    "1e+2",
    "0.5e00",
    "true",
    "false",
    "null",
    '""',
    " [ ] ",
    "{\t}\r\n",
  ],
  ...[
    '"\\u0000\\ud800\\"\\\\\\/\\b\\f\\n\\r\\t"',
    '"\\uD83D\\uDE00"',
    '"\u007f é 日本 😀"',
    `"${"x".repeat(200)}"`,
  ],
  ...[
    '{"":1}',
    '{"__proto__":1}',
    '{"a":{"a":{"a":1}}}',
    '[[1,"2",[null]],{"b":[]}]',
    '{"é":1,"e\\u0301":2}',
  ],
  ...[`"${"x".repeat(100)}\\n${"y".repeat(100)}"`, `"${"é".repeat(99)}"`, `{"${"k".repeat(40)}":1}`],
];

const refused: readonly (readonly [text: string, offset: number])[] = [
  ...([
    ["+1", 0],
    ["01", 0],
    ["1.", 0],
    [".5", 0],
    ["1e", 0],
    ["-", 0],
    ["1e+", 0],
    ["0x1", 1],
    ["NaN", 0],
  ] as const),
  ...([
    ["tru", 0],
    ["True", 0],
    ["nul", 0],
    ["truee", 4],
    ["1 2", 2],
    ["1,", 1],
    ["undefined", 0],
  ] as const),
  ...([
    ['"', 1],
    ['"a', 2],
    ['"\\', 1],
    ['"\\x"', 1],
    ['"\\u12"', 1],
    ['"\\u12G4"', 1],
    ['"\\u123', 1],
  ] as const),
  ...([
    ['"\n"', 1],
    ['"\u0000"', 1],
    [`"${"x".repeat(90)}\t"`, 91],
    ["'a'", 0],
    ['"a"b', 3],
  ] as const),
  ...([
    ["[", 1],
    ["[1", 2],
    ["[1,]", 3],
    ["[,1]", 1],
    ["[1 2]", 3],
    ["]", 0],
    ["[1}", 2],
  ] as const),
  ...([
    ["{", 1],
    ['{"a"}', 4],
    ['{"a":}', 5],
    ['{"a":1,}', 7],
    ["{a:1}", 1],
    ["{1:1}", 1],
    ['{"a" 1}', 5],
  ] as const),
  ...([
    ["\ufeff{}", 0],
    ["\u00a01", 0],
    ["/**/1", 0],
    ["\v1", 0],
    ["\u0000", 0],
    ["{}\u0000", 2],
  ] as const),
];

describe("parseJson", () => {
  for (const text of accepted) {
    it(`accepts ${JSON.stringify(text.slice(0, 40))}`, () => {
      const bytes = bytesOf(text);
      assert.deepEqual(toValue(parseJson(bytes), bytes), JSON.parse(text));
    });
  }

  for (const [text, offset] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.throws(() => JSON.parse(text));
      const error = fault(bytesOf(text));
      assert.deepEqual([error.code, error.offset], ["syntax", offset]);
      assert.equal(error.message, `syntax at byte ${offset}`);
    });
  }

  const notUtf8: readonly (readonly [name: string, bytes: readonly number[], offset: number])[] = [
    ["a stray continuation", [0x22, 0x80, 0x22], 1],
    ["a cut sequence", [0x22, 0xc3, 0x22], 1],
    ["a sequence cut by the end", [0x22, 0x61, 0xef, 0xbf], 2],
    ["an overlong slash", [0x22, 0xc0, 0xaf, 0x22], 1],
    ["a surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22], 1],
    ["past U+10FFFF", [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], 1],
    ["after a real U+FFFD", [0x22, 0xef, 0xbf, 0xbd, 0xff, 0x22], 4],
    ["a cut U+FFFD", [0x22, 0xef, 0xbf, 0x41, 0x22], 1],
    ["UTF-16", [0xff, 0xfe, 0x31, 0x00], 0],
  ];
  for (const [name, bytes, offset] of notUtf8) {
    it(`refuses bytes that are not UTF-8: ${name}`, () => {
      const error = fault(Uint8Array.from(bytes));
      assert.deepEqual([error.code, error.offset], ["not_utf8", offset]);
    });
  }

  it("calls nothing but white space empty", () => {
    for (const text of ["", " ", "\r\n\t"]) assert.equal(fault(bytesOf(text)).code, "empty");
  });

  it("refuses repeated keys at every depth, compared without their escapes", () => {
    const many = Array.from({ length: 40 }, (_, i) => `"k${i}":${i}`).join(",");
    const cases: readonly (readonly [text: string, offset: number])[] = [
      ['{"a":1,"a":1}', 7],
      ['{"a":1,"\\u0061":1}', 7],
      ['{"x":[{"é":1,"b":2, "\\u00e9":1}]}', 21],
      ['{"":1,"":2}', 6],
      ['{"\\ud800":1,"\\uD800":2}', 12],
      [`{${many},"k3":0}`, many.length + 2],
      [`{${many},"k30":0}`, many.length + 2],
    ];
    for (const [text, offset] of cases) {
      const error = fault(bytesOf(text));
      assert.deepEqual([error.code, error.offset], ["duplicate_key", offset], text.slice(0, 40));
    }
    assert.doesNotThrow(
      () => parseJson(bytesOf('{"\\ud800":1,"\ufffd":2}')),
      "a lone surrogate is its own key",
    );
  });

  it("bounds the depth", () => {
    const nested = (depth: number) => bytesOf("[".repeat(depth) + "]".repeat(depth));
    assert.doesNotThrow(() => parseJson(nested(128)));
    assert.deepEqual([fault(nested(129)).code, fault(nested(129)).offset], ["too_deep", 128]);
    assert.equal(fault(nested(2), { maxDepth: 1 }).code, "too_deep");
    assert.equal(fault(bytesOf("[".repeat(1_000_000))).code, "too_deep");
    assert.equal(fault(nested(5000), { maxDepth: 100_000 }).code, "too_deep", "the bound has a bound");
    assert.doesNotThrow(() => parseJson(bytesOf('{"a":1}'), { maxDepth: 1 }));
  });

  it("gives byte spans", () => {
    const text = ' {"é" : "ü\\n", "n": [1.0 , true]} ';
    const bytes = bytesOf(text);
    const spans: string[] = [];
    const walk = (node: JsonNode): void => {
      spans.push(Buffer.from(bytes.subarray(node.start, node.end)).toString());
      if (node.kind === "array") node.items.forEach(walk);
      if (node.kind === "object") for (const one of node.members) walk(one.value);
    };
    const root = parseJson(bytes);
    walk(root);
    assert.deepEqual(spans, [text.trim(), '"ü\\n"', "[1.0 , true]", "1.0", "true"]);
    assert.ok(root.kind === "object");
    assert.deepEqual(
      root.members.map((one) => one.keyStart),
      [2, 17],
    );
    assert.equal(member(root, "n")?.kind, "array");
    assert.equal(member(root, "m"), undefined);
    assert.equal(member(undefined, "m"), undefined);
  });

  it("reads a view into a larger buffer", () => {
    const whole = Buffer.from(`xxx{"key":"${"long ".repeat(30)}"}yyy`);
    const view = new Uint8Array(whole.buffer, whole.byteOffset + 3, whole.length - 6);
    assert.deepEqual(toValue(parseJson(view), view), { key: "long ".repeat(30) });
  });

  it("agrees with JSON.parse on generated and on broken texts", () => {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    let valid = 0;
    for (let seed = 1; seed <= 6000; seed++) {
      const random = new Generator(seed);
      let bytes = bytesOf(random.space() + random.value(4) + random.space());
      // Two in three texts are broken by one to three byte edits.
      for (let edits = random.int(3) && 1 + random.int(3); edits > 0; edits--) bytes = mutate(bytes, random);
      const expected = attempt(() => JSON.parse(decoder.decode(bytes)) as unknown);
      const actual = attempt(() => toValue(parseJson(bytes), bytes));
      if (actual.error instanceof JsonError && actual.error.code === "duplicate_key") continue;
      assert.equal(actual.error === undefined, expected.error === undefined, `seed ${seed}`);
      if (expected.error === undefined) {
        valid++;
        assert.deepEqual(actual.value, expected.value, `seed ${seed}`);
      }
    }
    assert.ok(valid > 2000 && valid < 5000, `${valid} valid texts: the mix tests too little`);
  });
});

function mutate(bytes: Uint8Array<ArrayBuffer>, random: Generator): Uint8Array<ArrayBuffer> {
  const at = random.int(bytes.length + 1);
  const byte = random.chance(70) ? random.pick([...'{}[]",:\\ue0-+.1 \n\t']).charCodeAt(0) : random.int(256);
  const gone = random.int(2);
  const between = random.chance(70) ? [byte] : [];
  return Uint8Array.from([...bytes.subarray(0, at), ...between, ...bytes.subarray(at + gone)]);
}

function attempt<T>(run: () => T): { value?: T; error?: unknown } {
  try {
    return { value: run() };
  } catch (error) {
    return { error };
  }
}
