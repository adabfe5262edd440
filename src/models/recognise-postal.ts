import type { Entity } from "./encode.ts";
import { type Context, found } from "./recognise-context.ts";

const WORDS =
  /(?:\bzip(?:[\s_-]*code)?|\bpost(?:al)?[\s_-]*code|\bpostcode|邮编|邮政编码|邮递区号)[\s"']*(?:is|was|are|of|[:=#是为号码])*[\s"':]*(?:is\s+)?/gi;
const VALUE =
  /^(?:\d{5}-\d{4}|\d{5}-\d{3}|\d{3}[ -]\d{2}(?!\d)|\d{3}-\d{4}|[A-Z]\d[A-Z] ?\d[A-Z]\d|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|\d{4} ?[A-Z]{2}|[A-Z]{1,2}-\d{4,5}|\d{3,7})(?![\w-]|\.\d)/i;
const HEAD = /^[\s"']*(?:zip|post(?:al)?[\s_-]*code|邮编|邮政编码)/i;
const CELL = /(?<=[,;\t|]\s*"?)\d{5}(?:-\d{4})?(?=\s*"?\s*(?:[,;\t|\n]|$))/g;

/** Postal codes that their context names. After a state or a street they are part of an address, which is no form. */
export function postalCodes(context: Context): Entity[] {
  const { text } = context;
  if (!/zip|post|邮/i.test(text)) return [];
  const out: Entity[] = [];
  for (const m of text.matchAll(WORDS)) {
    const start = m.index + m[0].length;
    const value = VALUE.exec(text.slice(start, start + 12))?.[0];
    // "zip 2024" alone is no more than a word and a number.
    if (value !== undefined && value.length < 5 && !/code|is|[:=是为]|邮/i.test(m[0])) continue;
    if (value !== undefined && context.head(start) === undefined) {
      out.push(found("ZIP_CODE", start, start + value.length, 0.9));
    }
  }
  for (const m of text.matchAll(CELL)) {
    if (HEAD.test(context.head(m.index) ?? "")) {
      out.push(found("ZIP_CODE", m.index, m.index + m[0].length, 0.9));
    }
  }
  return out;
}
