import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeTags } from "../../src/models/tags.ts";

const TAGS = ["O", "B-PERSON", "I-PERSON", "B-GPE", "I-GPE", "B-US_SSN", "I-US_SSN"];
const TYPES = new Set(["PERSON", "GPE"]);

/** "Jo|hn Smith" -> the text and its pieces: words and signs, with a further cut at each "|". */
function pieces(marked: string): { text: string; starts: Int32Array; ends: Int32Array } {
  const text = marked.replaceAll("|", "");
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const part of marked.split("|")) {
    for (const m of part.matchAll(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu)) {
      starts.push(at + m.index);
      ends.push(at + m.index + m[0].length);
    }
    at += part.length;
  }
  return { text, starts: Int32Array.from(starts), ends: Int32Array.from(ends) };
}

/** A row of logits per piece: 0 but for the named tags. */
function rows(...named: Record<string, number>[]): Float32Array {
  return Float32Array.from(named.flatMap((row) => TAGS.map((tag) => row[tag] ?? 0)));
}

function decoded(marked: string, ...named: Record<string, number>[]): string[] {
  const { text, ...tokens } = pieces(marked);
  return decodeTags(text, tokens, rows(...named), TAGS, TYPES).map(
    (e) => `${e.type} ${text.slice(e.start, e.end)}`,
  );
}

const O = { O: 6 };
const P = { "B-PERSON": 6 };
const IP = { "I-PERSON": 6 };
const G = { "B-GPE": 6 };
const IG = { "I-GPE": 6 };
const S = { "B-US_SSN": 6 };
const IS = { "I-US_SSN": 6 };

describe("paths of tags", () => {
  it("spans", () =>
    assert.deepEqual(decoded("I am John Smith from Boston", O, O, P, IP, O, G), [
      "PERSON John Smith",
      "GPE Boston",
    ]));
  it("two of one type side by side", () =>
    assert.deepEqual(decoded("Tom Ann left", P, P, O), ["PERSON Tom", "PERSON Ann"]));
  it("an I-x opens no span: the best lawful path is taken", () => {
    assert.deepEqual(decoded("see Boston now", O, { "I-GPE": 6, "B-GPE": 5 }, O), ["GPE Boston"]);
    assert.deepEqual(decoded("see Boston now", O, { "I-GPE": 6, O: 5 }, O), []);
  });
  it("an I-x follows its own B-x only", () => {
    assert.deepEqual(decoded("John Boston", P, { "I-GPE": 6, "I-PERSON": 5.9 }), ["PERSON John Boston"]);
  });
  it("other types take part and are left out", () => {
    assert.deepEqual(decoded("219 - 09 Ann", S, IS, IS, P), ["PERSON Ann"]);
    assert.deepEqual(decoded("219 Ann", { "B-US_SSN": 6, "B-PERSON": 5 }, P), ["PERSON Ann"]);
  });
  it("nothing in an empty text", () => assert.deepEqual(decoded(""), []));
  it("logits of another size are refused", () => {
    const { text, ...tokens } = pieces("John");
    assert.throws(
      () => decodeTags(text, tokens, new Float32Array(6), TAGS, TYPES),
      /6 tag logits for 1 tokens of 7 tags/,
    );
  });
});

describe("pieces of one word go together", () => {
  it("most of the word is in: all of it", () =>
    assert.deepEqual(decoded("Jo|han|na left", P, IP, { O: 3 }, O), ["PERSON Johanna"]));
  it("most of the word is out: none of it", () =>
    assert.deepEqual(decoded("un|john|like it", O, { "B-PERSON": 3 }, O, O), []));
  it("no span begins within a word", () =>
    assert.deepEqual(decoded("new|york", { "B-GPE": 4 }, { "B-GPE": 5, "I-GPE": 4 }), ["GPE newyork"]));
  it("letters with accents too", () =>
    assert.deepEqual(decoded("Jó|zef é", P, { O: 2 }, O), ["PERSON Józef"]));
  it("a Chinese run is cut between pieces", () =>
    assert.deepEqual(decoded("我|叫|王小明|吧", O, O, P, O), ["PERSON 王小明"]));
  it("a space parts words", () => assert.deepEqual(decoded("John left", P, O), ["PERSON John"]));
});

describe("signs around a span", () => {
  it("are trimmed", () =>
    assert.deepEqual(decoded('"John", he', { "B-PERSON": 6 }, IP, IP, IP, O), ["PERSON John"]));
  it("a closing full stop", () => assert.deepEqual(decoded("in Boston.", O, G, IG), ["GPE Boston"]));
  it("but not that of a short form", () => {
    assert.deepEqual(decoded("Tom Jr.", P, IP, IP), ["PERSON Tom Jr."]);
    assert.deepEqual(decoded("the U.S. too", O, G, IG, IG, IG, O), ["GPE U.S."]);
  });
  it("brackets that are a pair stay", () =>
    assert.deepEqual(decoded("Nicosia (North)", G, IG, IG, IG), ["GPE Nicosia (North)"]));
  it("a tag's sign stays", () => assert.deepEqual(decoded("#Denver", G, IG), ["GPE #Denver"]));
  it("signs alone are nothing", () => assert.deepEqual(decoded("- # _", P, IP, IP), []));
});

it("the score is the mean probability of the type", () => {
  const { text, ...tokens } = pieces("John Smith");
  const [one] = decodeTags(
    text,
    tokens,
    rows({ "B-PERSON": 3, "I-PERSON": 1 }, { "I-PERSON": 2 }),
    TAGS,
    TYPES,
  );
  const first = (Math.exp(3) + Math.exp(1)) / (Math.exp(3) + Math.exp(1) + 5);
  const second = (Math.exp(2) + 1) / (Math.exp(2) + 6);
  assert.ok(Math.abs((one?.score ?? 0) - (first + second) / 2) < 1e-6, String(one?.score));
  assert.equal(one?.by, "model");
});

it("a long text keeps its scores and its end", () => {
  const { text, ...tokens } = pieces(`${"word ".repeat(20_000)}Boston`);
  const all = rows(...Array.from({ length: 20_000 }, () => O), G);
  assert.deepEqual(
    decodeTags(text, tokens, all, TAGS, TYPES).map((e) => text.slice(e.start, e.end)),
    ["Boston"],
  );
});
