import { assembled } from "./assembled.ts";
import { encoded } from "./encoded.ts";
import { folded } from "./fold.ts";
import { leet } from "./leet.ts";
import { markup } from "./markup.ts";
import { misread } from "./misread.ts";
import { morse } from "./morse.ts";
import { reveal } from "./reveal.ts";
import { allot, clipped, together } from "./room.ts";
import { split } from "./split.ts";
import { unspaced } from "./unspaced.ts";

/** A text that was wrapped in another one, at `start`..`end` (UTF-16, end exclusive) of it. */
export interface Hidden {
  /**
   * How it was wrapped, outermost first: `base64`, `hex`, `base32`, `binary`, `codes`, `morse`, `rot13`, `caesar`, `atbash`,
   * `reversed`, `leet`, `split`, `unspaced`, `markup`, `pieces`; nested ones are joined by `>`.
   */
  readonly kind: string;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const FINDERS: readonly ((text: string) => readonly Hidden[])[] = [
  encoded,
  split,
  leet,
  misread,
  assembled,
  markup,
  morse,
  unspaced,
];
const LEVELS = 3;
const MARGIN = 4096;

/**
 * Texts that `text` holds in another form. None for honest text: each needs evidence that its reading is language.
 * Wrappings are undone up to three deep; all that is returned is at most twice the size of `text` and 4 KB.
 * Meant for what `reveal` returns. Time is linear in the text.
 */
export function hidden(text: string): readonly Hidden[] {
  const found: Hidden[] = [];
  let room = 2 * text.length + MARGIN;
  let level: readonly Hidden[] = [{ kind: "", text, start: 0, end: text.length }];
  for (let depth = 0; depth < LEVELS && level.length > 0; depth++) {
    const all = level.flatMap((outer) => inside(outer, depth === 0));
    const rooms = allot(
      all.map((one) => one.text.length),
      room,
    );
    level = all
      .map((one, i) => ({ ...one, text: clipped(one.text, rooms[i] as number) }))
      .filter((one) => one.text !== "");
    for (const one of level) {
      found.push(one);
      room -= one.text.length;
    }
  }
  return found;
}

function inside(outer: Hidden, first: boolean): Hidden[] {
  const { text, at } = folded(outer.text);
  const place = (i: number): number => at?.[i] ?? i;
  return FINDERS.flatMap((find) =>
    together(find(text)).map((inner) => {
      const plain = reveal(inner.text).text;
      return first
        ? { kind: inner.kind, text: plain, start: place(inner.start), end: place(inner.end) }
        : { kind: `${outer.kind}>${inner.kind}`, text: plain, start: outer.start, end: outer.end };
    }),
  );
}
