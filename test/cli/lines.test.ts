import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { readAsked } from "../../src/cli/asked.ts";
import { type Line, linesOf } from "../../src/cli/lines.ts";

async function* chunksOf(text: string | Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text as string);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string | Uint8Array, size = 7, mostBytes = 1000): Promise<(string | Line)[]> {
  const lines: (string | Line)[] = [];
  for await (const line of linesOf(chunksOf(text, size), mostBytes)) {
    lines.push("text" in line ? line.text : line);
  }
  return lines;
}

describe("lines", () => {
  const cases: readonly [name: string, text: string, lines: readonly string[]][] = [
    ["none", "", []],
    ["one without an end", "one", ["one"]],
    ["one with its end", "one\n", ["one"]],
    ["empty ones between", "one\n\n\nfour", ["one", "", "", "four"]],
    ["a carriage return stays for JSON to skip", "one\r\ntwo", ["one\r", "two"]],
    ["characters of several bytes", "数学题\n😀 ü\n", ["数学题", "😀 ü"]],
    ["a byte order mark is no text", "\ufeffone\ntwo", ["one", "two"]],
  ];
  for (const [name, text, lines] of cases) {
    test(`${name}, however the bytes are cut`, async () => {
      for (const size of [1, 2, 3, 5, 1000]) assert.deepEqual(await read(text, size), lines, String(size));
    });
  }

  test("one that is too long is told and not kept; the next is read", async () => {
    for (const size of [1, 4, 1000]) {
      assert.deepEqual(await read(`${"x".repeat(10)}\n${"y".repeat(11)}\nz\n${"y".repeat(99)}`, size, 10), [
        "x".repeat(10),
        { number: 2, fault: "the line is longer than 10 bytes: split it" },
        "z",
        { number: 4, fault: "the line is longer than 10 bytes: split it" },
      ]);
    }
  });

  test("of one that is too long nothing is held while it lasts", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const seen: WeakRef<ArrayBuffer>[] = [];
    let held = 0;
    async function* endless() {
      for (let i = 0; i < 20; i++) {
        const chunk = new Uint8Array(1000).fill(120);
        seen.push(new WeakRef(chunk.buffer));
        yield chunk;
      }
      await turn();
      collect();
      held = seen.filter((bytes) => bytes.deref()).length;
    }
    for await (const line of linesOf(endless(), 3000)) assert.ok("fault" in line);
    // The last one may still be in the hands of the loop.
    assert.ok(held <= 2, String(held));
  });

  test("one that is not UTF-8 is told", async () => {
    assert.deepEqual(await read(Uint8Array.of(0x61, 10, 0xff, 0xfe, 10, 0x62)), [
      "a",
      { number: 2, fault: "the line is not UTF-8: convert the file" },
      "b",
    ]);
  });
});

describe("what a line asks for", () => {
  test("a text or a pair; other keys are ignored", () => {
    assert.deepEqual(readAsked(' {"text":"a\\nb","label":"x","id":3}\r'), { kind: "text", text: "a\nb" });
    assert.deepEqual(readAsked('{"text":""}'), { kind: "text", text: "" });
    assert.deepEqual(readAsked('{"b":"2","a":"1","label":0}'), { kind: "pair", a: "1", b: "2" });
  });

  test("null is as good as nothing, and with a text so is what is no string", () => {
    assert.deepEqual(readAsked('{"text":"x","a":null,"b":null}'), { kind: "text", text: "x" });
    assert.deepEqual(readAsked('{"text":"x","a":7,"b":["y"]}'), { kind: "text", text: "x" });
    assert.deepEqual(readAsked('{"text":null,"a":"1","b":"2"}'), { kind: "pair", a: "1", b: "2" });
  });

  const wrong: readonly [line: string, says: RegExp][] = [
    ["", /^the line is empty: give \{"text": "\.\.\."\} or/],
    ["  \r", /^the line is empty/],
    ["secret words", /^not valid JSON: give/],
    ['{"text":"secret', /^not valid JSON/],
    ["[1]", /^an array where an object is due: give/],
    ["null", /^null where an object is due/],
    ['"secret"', /^a string where an object is due/],
    ["{}", /^no "text", and no pair "a", "b": give/],
    ['{"Text":"x"}', /^no "text"/],
    ['{"text":7}', /^"text" must be a string, not a number$/],
    ['{"text":null}', /^no "text", and no pair "a", "b": give/],
    ['{"text":null,"a":null,"b":null}', /^no "text", and no pair/],
    ['{"a":"x","b":null}', /^no "b": a pair has "a" and "b"$/],
    ['{"a":7,"b":"x"}', /^"a" must be a string, not a number$/],
    ['{"text":7,"a":null}', /^"text" must be a string, not a number$/],
    ['{"text":["secret"]}', /^"text" must be a string, not an array$/],
    ['{"a":"x"}', /^no "b": a pair has "a" and "b"$/],
    ['{"b":"x"}', /^no "a"/],
    ['{"a":"x","b":{}}', /^"b" must be a string, not an object$/],
    ['{"text":"x","b":"secret"}', /^"text" and a pair in one line/],
    ['{"text":"x","a":"y","b":"z"}', /^"text" and a pair in one line: give each a line of its own$/],
  ];
  for (const [line, says] of wrong) {
    test(`${line || "(empty)"} is refused and not quoted`, () => {
      assert.throws(
        () => readAsked(line),
        (error: Error) => {
          assert.match(error.message, says);
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
    });
  }
});
