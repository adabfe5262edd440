import type { KeywordRule } from "../config/schema.ts";

/** The category of the first rule that holds for the text, in file order. */
export type MatchKeywords = (text: string) => string | undefined;

/** Keywords are literal. One that holds a letter, digit or underscore matches as a whole word only. */
export function keywordRules(rules: readonly KeywordRule[]): MatchKeywords {
  const compiled = rules.map((rule) => ({
    category: rule.category,
    operator: rule.operator,
    patterns: rule.keywords.map((keyword) => pattern(keyword, rule.case_sensitive)),
  }));
  return (text) => {
    const rule = compiled.find(({ operator, patterns }) => {
      if (operator === "AND") return patterns.every((one) => one.test(text));
      const any = patterns.some((one) => one.test(text));
      return operator === "OR" ? any : !any;
    });
    return rule?.category;
  };
}

// Chinese and Japanese are written without spaces: a word there has no edge to look for, and is one to its neighbours.
const unspaced = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}";
const ofWord = `[[\\p{L}\\p{N}_]--[${unspaced}]]`;
const hasWord = /[\p{L}\p{N}_]/u;
const hasUnspaced = new RegExp(`[${unspaced}]`, "u");

function pattern(keyword: string, caseSensitive: boolean): RegExp {
  const literal = keyword.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const edged = hasWord.test(keyword) && !hasUnspaced.test(keyword);
  const source = edged ? `(?<!${ofWord})${literal}(?!${ofWord})` : literal;
  return new RegExp(source, caseSensitive ? "v" : "iv");
}
