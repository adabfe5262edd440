import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { readTokenizer } from "../../src/models/wordpiece/tokenizer.ts";

interface Fixture {
  tokenizer: string;
  pattern: string;
  texts: (string | [number, number])[];
  counts: number[];
  ids: number[];
  gaps: number[];
  lengths: number[];
  cases: string;
}

const file = readFileSync(new URL("../../models/tokenizer.json", import.meta.url));
const json = file.toString("utf8");
// Written by training/fixture.py, which explains its form.
const packed = readFileSync(new URL("./wordpiece.json.gz", import.meta.url));
const fixture = JSON.parse(gunzipSync(packed).toString("utf8")) as Fixture;
const UNSURE = "4";

const wordpiece = readTokenizer(json);

function textOf(entry: string | [number, number]): string {
  if (typeof entry === "string") return entry;
  const parts: string[] = [];
  for (let c = entry[0]; c <= entry[1]; c++) {
    parts.push(fixture.pattern.replaceAll("*", () => String.fromCodePoint(c)));
  }
  return parts.join(" ");
}

/** `id start-end case` of the first token that is not as the library has it, and what it should be; null if all are. */
function difference(text: string, from: number, count: number): string | null {
  const got = wordpiece.tokenise(text);
  let end = 0;
  for (let i = 0; i < Math.max(count, got.ids.length); i++) {
    const k = from + i;
    const start = end + (fixture.gaps[k] ?? 0);
    end = start + (fixture.lengths[k] ?? 0);
    const digit = fixture.cases[k];
    const letterCase = digit === UNSURE ? got.cases[i] : digit;
    const want = i < count ? `${fixture.ids[k]} ${start}-${end} ${letterCase}` : "no token";
    const have =
      i < got.ids.length ? `${got.ids[i]} ${got.starts[i]}-${got.ends[i]} ${got.cases[i]}` : "no token";
    if (have !== want) {
      return `token ${i} is ${have}, should be ${want}: ${JSON.stringify(text.slice(Math.max(0, start - 10), end + 10))}`;
    }
  }
  return null;
}

describe("tokens are those of the library that the model was trained with", () => {
  it("the fixture belongs to the shipped tokenizer: else run training/fixture.py", () => {
    assert.equal(createHash("sha256").update(file).digest("hex"), fixture.tokenizer);
  });

  it("ids, offsets and letter cases of every text", () => {
    assert.ok(fixture.texts.length >= 3000);
    const wrong: string[] = [];
    let at = 0;
    for (const [i, entry] of fixture.texts.entries()) {
      const count = fixture.counts[i] as number;
      const found = difference(textOf(entry), at, count);
      if (found !== null) wrong.push(`text ${i}: ${found}`);
      at += count;
    }
    assert.equal(at, fixture.ids.length);
    assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} texts differ`);
  });

  it("again after other texts: nothing stays from one to the next", () => {
    const first = wordpiece.tokenise("Über MAX \u0301 中文");
    for (const text of ["A", "é\u0301", `${"x".repeat(100_000)}\u1200`, "[SEP", "\ud83d"])
      wordpiece.tokenise(text);
    assert.deepEqual(wordpiece.tokenise("Über MAX \u0301 中文"), first);
    assert.deepEqual([...first.cases], [1, 2, 0]);
  });
});

describe("texts of a megabyte", () => {
  // Anything but linear time ends these at the test's limit. Fewest and most tokens, end of the last one.
  const size = 1_000_000;
  const cases: [string, string, number, number, number][] = [
    ["one word of small letters", "qz".repeat(size / 2), size / 4, size, size],
    ["one word of capitals with marks", "A\u0301".repeat(size / 2), size / 10, size / 2, size - 1],
    ["combining marks", "\u0301\u0323".repeat(size / 2), 0, 0, 0],
    ["marks that stay", "\u0903".repeat(size), 1, 1, size],
    ["ideographs", "一二三四".repeat(size / 4), size / 4, size, size],
    ["a word that is unknown at its end", `${"a".repeat(size - 1)}\u1200`, 1, 1, size],
    ["spaces", " ".repeat(size), 0, 0, 0],
    ["brackets", "[".repeat(size), size, size, size],
    ["lone surrogates", "\ud83d".repeat(size), 0, 0, 0],
    ["compositions of eighteen letters", "\ufdfa".repeat(size / 10), size / 10, 2 * size, size / 10],
  ];
  for (const [name, text, fewest, most, end] of cases) {
    it(name, () => {
      const { ids, ends } = wordpiece.tokenise(text);
      assert.ok(ids.length >= fewest && ids.length <= most, `${ids.length} tokens`);
      assert.equal(ends.at(-1) ?? 0, end);
    });
  }
});

describe("a tokenizer file that does not fit is refused with the place", () => {
  const cases: [string, unknown, string][] = [
    ["model.type", "BPE", 'model.type is "BPE", must be "WordPiece"'],
    ["model.unk_token", "<unk>", "model.unk_token is"],
    ["model.continuing_subword_prefix", "@@", "model.continuing_subword_prefix is"],
    ["model.max_input_chars_per_word", 100, "model.max_input_chars_per_word is 100, must be 1000000 or more"],
    ["model.vocab.hello", "1", 'model.vocab["hello"] is "1", must be a whole number'],
    ["model.vocab.world", -1, 'model.vocab["world"] is -1, must be a whole number'],
    ["normalizer.normalizers.1.lowercase", false, "normalizer is"],
    ["normalizer", null, "normalizer is null"],
    ["pre_tokenizer.type", "Whitespace", "pre_tokenizer is"],
    ["pre_tokenizer.pretokenizers.1.pattern", { Regex: "\\w+" }, "pre_tokenizer is"],
    ["pre_tokenizer.pretokenizers.1.behavior", "Removed", "pre_tokenizer is"],
    ["pre_tokenizer", { type: "BertPreTokenizer" }, 'pre_tokenizer is {"type":"BertPreTokenizer"}, must be'],
    ["added_tokens", [], "added_tokens is [], must be a list with [CLS]"],
    ["added_tokens.0.normalized", true, "added_tokens[0] is"],
    ["added_tokens.1.id", 7, "added_tokens[1].id is 7, must be the one in model.vocab, 1"],
    ["truncation", { max_length: 128 }, "truncation is"],
    ["padding", { strategy: "BatchLongest" }, "padding is"],
  ];
  for (const [place, value, message] of cases) {
    it(`${place}: ${JSON.stringify(value)}`, () => {
      const tree = JSON.parse(json) as Record<string, unknown>;
      const keys = place.split(".");
      let node = tree;
      for (const key of keys.slice(0, -1)) node = node[key] as Record<string, unknown>;
      node[keys.at(-1) as string] = value;
      assert.throws(
        () => readTokenizer(JSON.stringify(tree)),
        (e: Error) => {
          assert.ok(e.message.startsWith(`tokenizer.json: ${message}`), e.message);
          assert.match(e.message, /training\/export\.py/);
          return true;
        },
      );
    });
  }

  it("not JSON: the text is not repeated", () => {
    assert.throws(() => readTokenizer("secret"), /^Error: tokenizer\.json: not JSON \(6 characters\)/);
    assert.throws(() => readTokenizer("[]"), /the file is \[\], must be an object/);
  });

  it("the numbers that the encoder needs", () => {
    const { cls, sep, unk, size } = wordpiece;
    assert.deepEqual({ cls, sep, unk }, { cls: 2, sep: 3, unk: 1 });
    assert.equal(size, 1 + Math.max(...Object.values<number>(JSON.parse(json).model.vocab)));
  });
});
