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

function pattern(keyword: string, caseSensitive: boolean): RegExp {
  const literal = keyword.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  // Chinese and Japanese are written without spaces: a word there has no edge to look for.
  const edged =
    /[\p{L}\p{N}_]/u.test(keyword) &&
    !/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(keyword);
  const source = edged ? `(?<![\\p{L}\\p{N}_])${literal}(?![\\p{L}\\p{N}_])` : literal;
  return new RegExp(source, caseSensitive ? "u" : "iu");
}
