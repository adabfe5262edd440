import { isCommon, isKnown, likelihood } from "./english.ts";
import type { Hidden } from "./hidden.ts";

const LETTERS: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "8": "b",
  "9": "g",
  "@": "a",
  $: "s",
  "!": "i",
  "€": "e",
};
const TOKENS = /[A-Za-z0-9@$!€]{3,24}/g;
const SIGNS = /[01345789@$!€]/;
const LOOSE = /[A-Za-z0-9@$!€]{2,24}/g;
const MIN_PER_LETTER = -2.7;
const LOOSE_PER_LETTER = -3.3;
/** How far plain words around belong to the message, UTF-16 units. */
const AROUND = 80;

/** Words with digits and signs for letters ("pr3v10us"), two at least that are words when read so. */
export function leet(text: string): Hidden[] {
  const words: { start: number; end: number; said: string }[] = [];
  for (const m of text.matchAll(TOKENS)) {
    if (!SIGNS.test(m[0])) continue;
    const said = word(m[0]);
    if (said !== undefined) words.push({ start: m.index, end: m.index + m[0].length, said });
  }
  const found: Hidden[] = [];
  for (let i = 0; i < words.length; ) {
    let j = i + 1;
    while (
      j < words.length &&
      (words[j] as { start: number }).start - (words[j - 1] as { end: number }).end <= AROUND
    )
      j += 1;
    const group = words.slice(i, j);
    if (new Set(group.map((w) => w.said)).size >= 2) found.push(message(text, group));
    i = j;
  }
  return found;
}

function message(text: string, group: readonly { start: number; end: number; said: string }[]): Hidden {
  const first = (group[0] as { start: number }).start;
  const last = (group.at(-1) as { end: number }).end;
  const before =
    text.slice(Math.max(0, first - AROUND), first).search(/[^.\n]*$/) + Math.max(0, first - AROUND);
  const after = last + (/^[^.\n]*/.exec(text.slice(last, last + AROUND))?.[0].length ?? 0);
  // What is known to be written so is read less strictly.
  const said = text.slice(before, after).replace(LOOSE, (token) => word(token) ?? loosely(token) ?? token);
  return { kind: "leet", text: said, start: before, end: after };
}

/** The word that a token is when its signs are read as letters; nothing when it is no word or no disguise. */
function word(token: string): string | undefined {
  // Marks at its end are punctuation; "node18" and "365days" have their digits at one end.
  const body = token.replace(/[!$]+$/, "").replace(/^!+/, "");
  if (!SIGNS.test(body) || /^\d*[A-Za-z]+\d{2,}$|^\d{2,}[A-Za-z]+\d*$/.test(body)) return undefined;
  if (
    body.length < 3 ||
    !/[A-Za-z]/.test(body) ||
    !/[A-Za-z0-9].*[A-Za-z0-9]/.test(body) ||
    /[26]/.test(body)
  )
    return undefined;
  const said = read(body);
  if (isCommon(said)) return said;
  const inside = /[A-Za-z][0134578@$!9€]+[A-Za-z]/.test(body);
  return inside && body.length >= 4 && likelihood(said) >= MIN_PER_LETTER * said.length ? said : undefined;
}

function loosely(token: string): string | undefined {
  const body = token.replace(/!+$/, "");
  if (!SIGNS.test(body) || !/[A-Za-z]/.test(body) || /[26]/.test(body)) return undefined;
  const said = read(body);
  return isKnown(said) || (body.length > 2 && likelihood(said) >= LOOSE_PER_LETTER * said.length)
    ? said
    : undefined;
}

function read(body: string): string {
  const as = (one: string): string =>
    [...body].map((c) => (c === "1" ? one : (LETTERS[c] ?? c.toLowerCase()))).join("");
  const [i, l] = [as("i"), as("l")];
  return likelihood(l) > likelihood(i) ? l : i;
}
