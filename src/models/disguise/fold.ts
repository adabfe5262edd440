import { apply, type Edit, type Revealed } from "./edits.ts";

const PLAIN = /^[\t\n\r\x20-\x7e]*$/;
const REMOVED = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Mn}\p{Me}\ufffd]/gu;
const BREAKS = "\t\n\r";
const known = new Map<number, string>();

/**
 * The text as the model's tokenizer takes it, letter case apart: compatibility forms as plain ones, without accents, controls,
 * private characters and broken ones. Finders look at this, so that nothing can hide from them that the model reads.
 */
export function folded(text: string): Revealed {
  if (PLAIN.test(text)) return { text };
  const edits: Edit[] = [];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Most of a text, and what never changes: ASCII, ideographs, Hangul (whose parts nobody looks at).
    if (
      (unit >= 0x20 && unit < 0x7f) ||
      (unit >= 0x4e00 && unit <= 0x9fff) ||
      (unit >= 0xac00 && unit < 0xd7a4)
    )
      continue;
    const code = text.codePointAt(i) as number;
    const size = code > 0xffff ? 2 : 1;
    const c = String.fromCodePoint(code);
    let plain = known.get(code);
    if (plain === undefined) {
      plain = BREAKS.includes(c) ? c : c.normalize("NFKD").replace(REMOVED, "");
      known.set(code, plain);
    }
    if (plain !== c) edits.push({ start: i, end: i + size, text: plain });
    i += size - 1;
  }
  return apply({ text }, edits);
}
