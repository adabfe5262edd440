import { apply, type Edit, type Revealed } from "./disguise/edits.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is looked for
const ANY = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\uffff]/;
/** Controls, private characters, marks and broken ones right after a letter, digit or sign of a value. */
const NOISE = /(?<=[\w@.:+%-])(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Mn}\p{Me}\ufffd]+/gu;
const SMALL = /[\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089]{6,}/g;

/** The text without characters that the model does not read within values, and long numbers in small digits as plain ones. */
export function withoutNoise(text: string): Revealed {
  if (!ANY.test(text)) return { text };
  const edits: Edit[] = [];
  for (const m of text.matchAll(NOISE)) edits.push({ start: m.index, end: m.index + m[0].length, text: "" });
  for (const m of text.matchAll(SMALL)) {
    edits.push({ start: m.index, end: m.index + m[0].length, text: m[0].normalize("NFKD") });
  }
  return apply(
    { text },
    edits.sort((a, b) => a.start - b.start),
  );
}
