import { decorated } from "./decorated.ts";
import { apply, type Edit, type Revealed } from "./edits.ts";
import { enclosed } from "./enclosed.ts";
import { escapes } from "./escapes.ts";
import { invisibles, stacks } from "./invisible.ts";
import { lookAlikes } from "./look-alikes.ts";
import { references } from "./references.ts";
import { turned } from "./turned.ts";

export type { Revealed } from "./edits.ts";

// In this order: an escape may write an invisible character, which may stand inside a word of look-alikes.
const STEPS: readonly ((text: string) => readonly Edit[])[] = [
  references,
  escapes,
  invisibles,
  stacks,
  enclosed,
  turned,
  decorated,
  lookAlikes,
];
const OF_ASCII: ReadonlySet<unknown> = new Set([references, escapes]);
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
const PLAIN = /^[\x00-\x7f]*$/;

/**
 * The text as a reader sees it: without invisible characters, with look-alike letters and escapes that spell words as
 * plain letters. Honest text comes back as it is, without `at`, but for letters such as "ł" that stand for their plain ones. Time is linear in the text.
 */
export function reveal(text: string): Revealed {
  let revealed: Revealed = { text };
  for (const step of STEPS) {
    if (!OF_ASCII.has(step) && PLAIN.test(revealed.text)) break;
    revealed = apply(revealed, step(revealed.text));
  }
  return revealed;
}
