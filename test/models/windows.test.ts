import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Joined } from "../../src/models/sections.ts";
import { feedOf, ownPart, windowsOf } from "../../src/models/windows.ts";

const size = { tokens: 128, overlap: 32 };
const lengths = [...Array(700).keys(), 5000, 12_345];

describe("windows", () => {
  test("every token is seen, in windows of at most 126 of them which share 32 with the next", () => {
    for (const length of lengths) {
      const windows = windowsOf(length, size);
      assert.equal(windows[0]!.start, 0);
      assert.equal(windows.at(-1)!.end, length);
      for (const [i, { start, end }] of windows.entries()) {
        assert.ok(end - start <= 126, `${length}`);
        assert.equal(start, i * 94);
        const next = windows[i + 1];
        if (next) assert.equal(end - next.start, 32, `${length}`);
      }
    }
  });

  test("there are no more than it takes", () => {
    const counts = [0, 1, 126, 127, 220, 221].map((length) => windowsOf(length, size).length);
    assert.deepEqual(counts, [1, 1, 1, 2, 2, 3]);
  });

  test("a text that grows keeps its windows but the last", () => {
    const before = windowsOf(500, size);
    const after = windowsOf(900, size);
    assert.deepEqual(after.slice(0, before.length - 1), before.slice(0, -1));
  });

  test("every token belongs to one window, the one in which it stands farthest from an edge", () => {
    for (const overlap of [0, 1, 31, 32]) {
      for (const length of lengths.slice(0, 600)) {
        const windows = windowsOf(length, { tokens: 128, overlap });
        const owners = windows.flatMap((_, i) => {
          const own = ownPart(windows, i);
          return Array.from({ length: own.end - own.start }, (_, k) => [own.start + k, i] as const);
        });
        assert.deepEqual(
          owners.map(([token]) => token),
          [...Array(length).keys()],
        );
        for (const [token, owner] of owners) {
          // The ends of the text are no edges.
          const depth = ({ start, end }: { start: number; end: number }) =>
            Math.min(start === 0 ? Infinity : token - start, end === length ? Infinity : end - 1 - token);
          for (const other of windows)
            if (other.start <= token && token < other.end)
              assert.ok(depth(windows[owner]!) >= depth(other), `${length} ${token}`);
        }
      }
    }
  });

  test("a feed is the window's tokens between the two marks", () => {
    const tokens = { ids: Int32Array.of(10, 11, 12, 13), cases: Uint8Array.of(0, 1, 2, 3) };
    assert.deepEqual(feedOf(tokens, { start: 1, end: 3 }, { cls: 2, sep: 3 }), {
      ids: Int32Array.of(2, 11, 12, 3),
      cases: Int32Array.of(0, 1, 2, 0),
    });
  });
});

describe("texts joined", () => {
  const texts = ["ab", "", "cdé", "f"];
  const whole = texts.join("\n");
  const all = new Joined(texts);

  test("any part of it is that of the joined string", () => {
    assert.equal(all.length, whole.length);
    for (let from = 0; from <= whole.length; from++)
      for (let to = from; to <= whole.length; to++)
        assert.equal(all.slice(from, to), whole.slice(from, to), `${from} ${to}`);
    assert.equal(new Joined([]).slice(0, 9), "");
  });

  test("a span is given to each text it touches", () => {
    const touched = (start: number, end: number) => [...all.touched(start, end)];
    assert.deepEqual(touched(0, 1), [{ index: 0, start: 0, end: 1 }]);
    assert.deepEqual(touched(1, 6), [
      { index: 0, start: 1, end: 2 },
      { index: 2, start: 0, end: 2 },
    ]);
    assert.deepEqual(touched(2, 4), [], "line breaks belong to no text");
    assert.deepEqual(touched(all.startOf(3), whole.length), [{ index: 3, start: 0, end: 1 }]);
  });
});

describe("sections of a long text", () => {
  const words = Array.from({ length: 20_000 }, (_, i) => `word${i}`).join(" ");
  const sections = [...new Joined([words]).sections()];

  test("every character is seen, each cut with what stands in front of it", () => {
    assert.ok(sections.length > 4);
    for (const [i, { start, text }] of sections.entries()) {
      assert.equal(words.slice(start, start + text.length), text);
      assert.ok(text.length <= 32_768);
      const next = sections[i + 1];
      if (next) assert.ok(start + text.length - next.start >= 512, `cut ${i}`);
      else assert.equal(start + text.length, words.length);
    }
  });

  test("no word is cut in two", () => {
    const known = new Set(words.split(" "));
    for (const { text } of sections) for (const word of text.trim().split(" ")) assert.ok(known.has(word));
  });

  test("a surrogate pair is not either, where there is no word to end", () => {
    for (const shift of ["", "x"]) {
      const emoji = shift + "😀".repeat(40_000);
      for (const { text } of new Joined([emoji]).sections()) assert.ok(text.isWellFormed());
    }
  });

  test("a text that grows keeps its sections but the last", () => {
    const grown = [...new Joined([words, "more to come"]).sections()];
    assert.deepEqual(grown.slice(0, sections.length - 1), sections.slice(0, -1));
  });

  test("a short text is one section, an empty one too", () => {
    const own = { start: 0, end: Number.POSITIVE_INFINITY };
    assert.deepEqual([...new Joined(["abc"]).sections()], [{ start: 0, text: "abc", own }]);
    assert.deepEqual([...new Joined([""]).sections()], [{ start: 0, text: "", own }]);
  });
});
