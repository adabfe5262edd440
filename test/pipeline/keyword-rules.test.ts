import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeywordRule } from "../../src/config/schema.ts";
import { keywordRules } from "../../src/pipeline/keyword-rules.ts";

const rule = (
  category: string,
  operator: KeywordRule["operator"],
  keywords: string[],
  case_sensitive = false,
): KeywordRule => ({ category, operator, keywords, case_sensitive });

const and = rule("1", "AND", ["keyword1", "keyword2"]);
const or = rule("2", "OR", ["keyword3", "keyword4"], true);
const nor = rule("3", "NOR", ["keyword5", "keyword6"]);
const any = (...keywords: string[]) => [rule("hit", "OR", keywords)];

const cases: readonly [string, readonly KeywordRule[], string, string | undefined][] = [
  ["all of AND", [and, nor], "keyword2 before keyword1", "1"],
  ["one of AND falls to NOR", [and, nor], "only keyword1", "3"],
  ["one of OR", [or, nor], "has keyword3", "2"],
  ["none of OR", [or, nor], "nothing here", "3"],
  ["OR that heeds case", [or, nor], "has KEYWORD3", "3"],
  ["NOR of a clean text", [nor], "clean", "3"],
  ["NOR of a text with one", [nor], "has Keyword5", undefined],
  ["no rules", [], "anything", undefined],
  ["the first rule that holds wins", [rule("a", "OR", ["x"]), rule("b", "OR", ["x"])], "x", "a"],
  ["file order, not rank", [nor, or], "has keyword3", "3"],
  ["inside a longer word", any("secret"), "my secretary", undefined],
  ["at the end of a longer word", any("secret"), "topsecret", undefined],
  ["beside an underscore", any("secret"), "secret_key", undefined],
  ["beside a digit", any("secret"), "secret2", undefined],
  ["beside punctuation", any("secret"), "(secret), please", "hit"],
  ["the whole text", any("secret"), "secret", "hit"],
  ["any case", any("Secret"), "SECRET", "hit"],
  ["a dot is a dot", any("1.0"), "version 1.0 is out", "hit"],
  ["a dot is not any letter", any("1.0"), "version 1x0 is out", undefined],
  ["an asterisk", any("*"), "5 * 3", "hit"],
  ["an asterisk inside a word", any("*"), "a*b", "hit"],
  ["brackets and bars are literal", any("(a|b)", "[c]"), "a", undefined],
  ["brackets as written", any("[c]"), "see [c] there", "hit"],
  ["a phrase", any("machine learning"), "on Machine Learning today", "hit"],
  ["letters beyond ASCII have edges too", any("café"), "un café noir", "hit"],
  ["and no edge inside a word", any("caf"), "un café noir", undefined],
  ["capital letters beyond ASCII", any("ÜBUNG"), "eine Übung", "hit"],
  ["Chinese, written without spaces", any("微积分"), "请解释微积分的基本定理", "hit"],
  ["Chinese that is not there", any("微积分"), "请写一首诗", undefined],
  ["Chinese next to Latin", any("算法"), "quicksort算法", "hit"],
  ["Japanese", any("プログラム"), "このプログラムを直して", "hit"],
  ["Latin between Chinese letters stands alone", any("python"), "用python写代码", "hit"],
  ["and still has its edges", any("python"), "用pythonista写代码", undefined],
  ["the second of two that overlap", any("a a"), "xa a a", "hit"],
  ["beside a letter outside the basic plane", any("a"), "𝒳a", undefined],
  ["before a letter outside the basic plane", any("a"), "a𝒳", undefined],
  ["beside an emoji", any("a"), "😀a😀", "hit"],
  ["letters outside the basic plane, in any place", any("𝒳"), "𝒳𝒳 𝒳", "hit"],
  ["every character of syntax", any("a^$\\/{}-&!"), "see a^$\\/{}-&! there", "hit"],
  ["all of AND, mixed scripts", [rule("m", "AND", ["证明", "theorem"])], "证明 this theorem", "m"],
];

for (const [name, rules, text, category] of cases) {
  test(`${name}: "${text}" is ${category ?? "nobody's"}`, () => {
    assert.equal(keywordRules(rules)(text)?.category, category);
  });
}

test("a rule holds for every text anew", () => {
  const match = keywordRules(any("again"));
  assert.deepEqual(
    ["again", "again", "x again"].map((text) => match(text)?.category),
    ["hit", "hit", "hit"],
  );
});
