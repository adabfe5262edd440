import assert from "node:assert/strict";
import { test } from "node:test";
import { SseParser } from "../../src/chat/sse.ts";

const utf8 = new TextEncoder();

function parse(
  pieces: readonly (string | Uint8Array)[],
  limit = 1024,
): { events: string[]; dropped: number } {
  const events: string[] = [];
  const parser = new SseParser(limit, (data, name) => events.push(name === "" ? data : `${name}|${data}`));
  for (const piece of pieces) parser.push(typeof piece === "string" ? utf8.encode(piece) : piece);
  parser.end();
  return { events, dropped: parser.dropped };
}

const cases: readonly {
  readonly name: string;
  readonly stream: string;
  readonly events: readonly string[];
}[] = [
  { name: "LF", stream: "data: a\n\ndata: b\n\n", events: ["a", "b"] },
  { name: "CRLF", stream: "data: a\r\n\r\ndata: b\r\n\r\n", events: ["a", "b"] },
  { name: "CR", stream: "data: a\r\rdata: b\r\r", events: ["a", "b"] },
  { name: "mixed line ends", stream: "data: a\r\n\ndata: b\r\r\ndata: c\n\r", events: ["a", "b", "c"] },
  { name: "no last blank line", stream: "data: a\n\ndata: b\n", events: ["a", "b"] },
  { name: "no last line end", stream: "data: a\n\ndata: b", events: ["a", "b"] },
  { name: "comments", stream: ": ping\n\ndata: a\n: ping\n\n:\n\n", events: ["a"] },
  { name: "several data lines", stream: "data: a\ndata:  b\ndata\ndata:c\n\n", events: ["a\n b\n\nc"] },
  { name: "one space is no content", stream: "data:a\n\ndata:  b\n\n", events: ["a", " b"] },
  {
    name: "other fields",
    stream: "id: 1\nretry: 5\nevent: error\ndata: a\n\ndata: b\n\n",
    events: ["error|a", "b"],
  },
  { name: "an event without data", stream: "event: x\n\ndata: a\n\n", events: ["a"] },
  { name: "byte order mark", stream: "\uFEFFdata: a\n\ndata: \uFEFFb\n\n", events: ["a", "\uFEFFb"] },
  { name: "blank lines", stream: "\n\r\n\ndata: a\n\n\n\n", events: ["a"] },
  {
    name: "characters of 2, 3, 4 bytes",
    stream: "data: é€😀\u2028\n\ndata: 漢\n\n",
    events: ["é€😀\u2028", "漢"],
  },
];

for (const { name, stream, events } of cases) {
  test(`${name}: the same events however the bytes are cut`, () => {
    const bytes = utf8.encode(stream);
    assert.deepEqual(parse([bytes]).events, events, "whole");
    for (let cut = 0; cut <= bytes.length; cut++) {
      const pieces = [bytes.subarray(0, cut), new Uint8Array(0), bytes.subarray(cut)];
      assert.deepEqual(parse(pieces).events, events, `cut at ${cut}`);
    }
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    assert.deepEqual(parse(single).events, events, "byte by byte");
  });
}

test("a buffer that the caller uses again does not change what was read", () => {
  const events: string[] = [];
  const parser = new SseParser(100, (data) => events.push(data));
  const buffer = utf8.encode("data: first ");
  parser.push(buffer);
  buffer.fill(120);
  parser.push(utf8.encode("half\n\n"));
  assert.deepEqual(events, ["first half"]);
});

test("an event above the limit is dropped and counted, the next one is read", () => {
  const long = "x".repeat(3000);
  for (const large of [`data: ${long}\n\n`, `data: ${"y\ndata: ".repeat(500)}\n\n`, "data:\n".repeat(500)]) {
    const stream = `data: a\n\n${large}\ndata: b\n\n`;
    assert.deepEqual(parse([stream.slice(0, 1000), stream.slice(1000)]), { events: ["a", "b"], dropped: 1 });
  }
});

test("100 MB without a line end stay bounded", () => {
  const piece = new Uint8Array(1024 * 1024).fill(97);
  const parser = new SseParser(4096, () => assert.fail("no event"));
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 100; i++) parser.push(piece);
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 * 1024 * 1024);
  parser.end();
  assert.equal(parser.dropped, 1);
});
