import { isCommon, likelihood } from "./english.ts";
import type { Hidden } from "./hidden.ts";

const INLINE = "b|i|u|s|em|strong|small|big|span|font|a|wbr|mark|code|kbd|tt|sub|sup|ins|del|x";
/** Marks of a text's form that stand within a word. */
const INSIDE = new RegExp(
  `(?<=[a-z])(?:\\*{1,3}|__|~~|\`|</?(?:${INLINE})(?: [^<>\\n]{0,60})?/?>|<!--[^>]{0,60}-->|/\\*[^*]{0,30}\\*/|\\{\\}|` +
    `\\[/?[a-z]{1,5}\\]|-\\r?\\n[> ]{0,8}){1,6}(?=[a-z])`,
  "gi",
);
/** How far the next one may be for the same message, UTF-16 units. */
const NEAR = 60;
const ENOUGH = 3;
const AROUND = 80;
const MIN_GAIN = 14;

/** Words with emphasis, tags, comments or line breaks inside ("ig**nore**", "ig<b>no</b>re"), when several in a row have them. */
export function markup(text: string): Hidden[] {
  const found: Hidden[] = [];
  let group: RegExpExecArray[] = [];
  const close = (): void => {
    if (group.length >= ENOUGH) {
      const one = message(text, group);
      if (one) found.push(one);
    }
    group = [];
  };
  for (const m of text.matchAll(INSIDE)) {
    const last = group.at(-1);
    if (last && m.index - last.index - last[0].length > NEAR) close();
    group.push(m);
  }
  close();
  return found;
}

function message(text: string, group: readonly RegExpExecArray[]): Hidden | undefined {
  let gain = 0;
  let common = 0;
  for (const m of group) {
    const end = m.index + m[0].length;
    const left =
      /[a-z]{1,24}$/i.exec(text.slice(Math.max(0, m.index - 24), m.index))?.[0].toLowerCase() ?? "";
    const right = /^[a-z]{1,24}/i.exec(text.slice(end, end + 24))?.[0].toLowerCase() ?? "";
    const [whole, parts] = [likelihood(left + right), likelihood(left) + likelihood(right)];
    // "Hello</b>World": two words, each by itself.
    if (isCommon(left) && isCommon(right)) gain -= MIN_GAIN;
    else gain += whole - parts;
    if (isCommon(left + right)) common += 1;
  }
  if (gain < MIN_GAIN || common === 0) return undefined;
  const [first, last] = [group[0] as RegExpExecArray, group.at(-1) as RegExpExecArray];
  const start = Math.max(0, first.index - AROUND);
  const end = Math.min(text.length, last.index + last[0].length + AROUND);
  return { kind: "markup", text: text.slice(start, end).replace(INSIDE, ""), start, end };
}
