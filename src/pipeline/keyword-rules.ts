import type { KeywordRule } from "../config/schema.ts";

/** The first rule that holds for the text, in file order. */
export type MatchKeywords = (text: string) => KeywordRule | undefined;

/** Keywords are literal. One that holds a letter, digit or underscore matches as a whole word only. */
export function keywordRules(rules: readonly KeywordRule[]): MatchKeywords {
  const compiled = rules.map((rule) => ({
    rule,
    operator: rule.operator,
    finders: rule.keywords.map((keyword) => finder(keyword, rule.case_sensitive)),
  }));
  return (text) => {
    const found = compiled.find(({ operator, finders }) => {
      if (operator === "AND") return finders.every((holds) => holds(text));
      const any = finders.some((holds) => holds(text));
      return operator === "OR" ? any : !any;
    });
    return found?.rule;
  };
}

// Chinese and Japanese are written without spaces: a word there has no edge to look for, and is one to its neighbours.
const unspaced = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}";
const ofWord = `[[\\p{L}\\p{N}_]--[${unspaced}]]`;
const hasWord = /[\p{L}\p{N}_]/u;
const hasUnspaced = new RegExp(`[${unspaced}]`, "u");
// Once for all keywords: within each one's own expression these classes took half a millisecond to compile, and as long
// again at its first use, which a configuration of many rules paid for at every reload.
const endsInWord = new RegExp(`${ofWord}$`, "v");
const beginsWithWord = new RegExp(`^${ofWord}`, "v");

/** Whether a text holds the keyword. */
function finder(keyword: string, caseSensitive: boolean): (text: string) => boolean {
  const literal = keyword.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const edged = hasWord.test(keyword) && !hasUnspaced.test(keyword);
  const found = new RegExp(literal, caseSensitive ? "gu" : "giu");
  return (text) => {
    found.lastIndex = 0;
    for (let hit = found.exec(text); hit; hit = found.exec(text)) {
      if (!edged || standsAlone(text, hit.index, found.lastIndex)) return true;
      // The next one may begin inside this one, though never inside a character.
      found.lastIndex = hit.index + (text.codePointAt(hit.index)! > 0xffff ? 2 : 1);
    }
    return false;
  };
}

/** Two units hold any character. */
const standsAlone = (text: string, start: number, end: number): boolean =>
  !endsInWord.test(text.slice(Math.max(0, start - 2), start)) &&
  !beginsWithWord.test(text.slice(end, end + 2));
