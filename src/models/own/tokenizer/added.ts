import { type Aligned, slice } from "./aligned.ts";
import { escaped, flagAt, Misfit, numberAt, type Part, textAt } from "./part.ts";

/** A token that is found before anything else looks at the text, such as `[SEP]`. */
interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly singleWord: boolean;
  readonly stripsLeft: boolean;
  readonly stripsRight: boolean;
}

/** Part of a text: one added token, or what lies between two of them. */
export interface Stretch {
  readonly text: Aligned;
  readonly id: number | undefined;
}

export type Finder = (text: Aligned) => Stretch[];

const WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_C}]/u;

/** Finds the added tokens among `parts`, the longest first. `normalised`: as they read in normalised text. */
export function finderOf(parts: readonly Part[], contentOf: (content: string) => string): Finder {
  const tokens = new Map<string, AddedToken>();
  for (const part of parts) {
    const content = contentOf(textAt(part, "content", ""));
    const id = numberAt(part, "id");
    if (id === undefined) throw new Misfit(`added_tokens: "${content}" has no id`);
    if (content === "") continue;
    tokens.set(content, {
      id,
      content,
      singleWord: flagAt(part, "single_word", false),
      stripsLeft: flagAt(part, "lstrip", false),
      stripsRight: flagAt(part, "rstrip", false),
    });
  }
  if (tokens.size === 0) return (text) => [{ text, id: undefined }];
  const longestFirst = [...tokens.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map((content) => escaped(content)).join("|"), "g");

  return (text) => {
    const found: Stretch[] = [];
    let done = 0;
    const push = (from: number, to: number, id?: number): void => {
      if (to > from) found.push({ text: slice(text, from, to), id });
    };
    for (const { 0: content, index } of text.text.matchAll(pattern)) {
      const token = tokens.get(content)!;
      if (index < done || (token.singleWord && inWord(text.text, index, index + content.length))) continue;
      const [from, to] = reach(text.text, index, index + content.length, token);
      push(done, Math.max(from, done));
      push(Math.max(from, done), to, token.id);
      done = to;
    }
    push(done, text.text.length);
    return found;
  };
}

const inWord = (text: string, from: number, to: number): boolean =>
  WORD.test(text.charAt(from - 1)) || WORD.test(text.charAt(to));

function reach(text: string, start: number, end: number, token: AddedToken): [number, number] {
  let [from, to] = [start, end];
  const isSpace = (i: number): boolean => /\p{White_Space}/u.test(text.charAt(i));
  while (token.stripsLeft && from > 0 && isSpace(from - 1)) from -= 1;
  while (token.stripsRight && to < text.length && isSpace(to)) to += 1;
  return [from, to];
}
