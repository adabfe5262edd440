import { across, bits, selectors } from "./carriers.ts";
import { type Edit, ordered } from "./edits.ts";

const INVISIBLE =
  "\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u2800" +
  "\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff9-\\ufffb\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}";
const RUNS = new RegExp(`[${INVISIBLE}]+`, "gu");

// Beside these an invisible character is part of the writing: joiners, word breaks, direction marks, emoji sequences.
const AT_HOME =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Thai}\p{Script=Lao}\p{Script=Tibetan}\p{Script=Myanmar}\p{Script=Khmer}\p{Script=Mongolian}\p{Script=Phags_Pa}\p{Script=Javanese}\p{Script=Balinese}\p{Script=Duployan}\u1100-\u11ff\u2801-\u28ff\u{1d100}-\u{1d1ff}]|\u20e3/u;
const PICTURE = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}/u;
const WORD = /[\p{L}\p{N}]/u;
const HAN = /\p{Script=Han}/u;

/** What invisible characters within words come to: nothing, or the text that they encode. */
export function invisibles(text: string): Edit[] {
  const runs = [...text.matchAll(RUNS)].map((m) => ({
    start: m.index,
    end: m.index + m[0].length,
    run: m[0],
  }));
  const edits: Edit[] = [];
  for (const { start, end, run } of runs) {
    const before = charBefore(text, start);
    const after = charAt(text, end);
    const said = isFlag(before, run) ? undefined : spelt(run);
    if (said === undefined && (isFlag(before, run) || isAtHome(run, before, after))) continue;
    if (start === 0 && run === "\ufeff") continue;
    // The flag that nothing but its tags are of goes with them.
    const from = said !== undefined && before === BLACK_FLAG ? start - before.length : start;
    edits.push({ start: from, end, text: said === undefined ? "" : set(said, before, after) });
  }
  return scattered(text, runs, edits);
}

/** A text whose parts are kept in several runs, too short to say something alone: it stands where the first one was. */
function scattered(
  text: string,
  runs: readonly { start: number; end: number; run: string }[],
  edits: Edit[],
): Edit[] {
  const carriers = runs.filter(
    ({ start, run }) => !isFlag(charBefore(text, start), run) && isCarrier(run, charBefore(text, start)),
  );
  const spelt = new Set(edits.filter((edit) => edit.text !== "").map((edit) => edit.end));
  const all = carriers.every(({ end }) => spelt.has(end));
  const said = all || carriers.length < 2 ? undefined : across(carriers.map(({ run }) => run).join(""));
  if (said === undefined) return edits;
  const first = carriers[0] as { start: number; end: number };
  const kept = new Map(edits.map((edit) => [edit.start, edit]));
  for (const { start, end } of carriers) kept.set(start, { start, end, text: "" });
  kept.set(first.start, { ...first, text: ` ${said} ` });
  return [...kept.values()].sort((a, b) => a.start - b.start);
}

// One selector after a symbol or an ideograph chooses its form.
const isCarrier = (run: string, before: string): boolean =>
  [...run].length > 1 ||
  (!["\ufe0e", "\ufe0f", "\u200d"].includes(run) && !HAN.test(before) && !AT_HOME.test(before));

const BLACK_FLAG = "\u{1f3f4}";
// England, Scotland, Wales: there are no others.
const FLAG = new Set(["gbeng", "gbsct", "gbwls"]);

const isFlag = (before: string, run: string): boolean =>
  before === BLACK_FLAG && run.endsWith("\u{e007f}") && FLAG.has(tagged(run));

function tagged(run: string): string {
  let said = "";
  for (const c of run) {
    const tag = (c.codePointAt(0) as number) - 0xe0000;
    if (tag >= 0x20 && tag < 0x7f) said += String.fromCharCode(tag);
  }
  return said;
}

function isAtHome(run: string, before: string, after: string): boolean {
  if ([before, after].some((c) => AT_HOME.test(c) || PICTURE.test(c))) return true;
  const only = run.length <= 2 ? (run.codePointAt(0) as number) : 0;
  // One variation selector chooses the form of a symbol, or of a Chinese character in Japanese names.
  if (only >= 0xfe00 && only <= 0xfe0f) return !WORD.test(before);
  return only >= 0xe0100 && HAN.test(before);
}

// A hidden sentence is a sentence of its own; a hidden letter or two belongs to the word.
function set(said: string, before: string, after: string): string {
  if (said.length < 4) return said;
  return `${WORD.test(before) ? " " : ""}${said}${WORD.test(after) ? " " : ""}`;
}

/** The text that a run of invisible characters encodes, if it does. */
function spelt(run: string): string | undefined {
  if (run.includes("\udb40")) {
    const said = tagged(run);
    if (said !== "") return said;
  }
  return run.length < 4 ? undefined : (selectors(run) ?? bits(run));
}

const MARKS =
  /(?:[\u0300-\u036f]|[\u0483-\u0489]|[\u1ab0-\u1aff]|[\u1dc0-\u1dff]|[\u20d0-\u20ff]|[\ufe20-\ufe2f]){3,}/g;
const OVERLAY = /(?<=[\p{L}\p{N}])[\u0332-\u0338\u20d2-\u20e5]/gu;
const GREEK = /\p{Script=Greek}/u;

/** Stacks of marks on a letter, and lines drawn through letters. Accents of real writing stay. */
export function stacks(text: string): Edit[] {
  const edits: Edit[] = [];
  for (const m of text.matchAll(MARKS)) {
    // Old Greek puts breathing, accent and iota on one letter.
    if (m[0].length === 3 && GREEK.test(text.charAt(m.index - 1))) continue;
    edits.push({ start: m.index, end: m.index + m[0].length, text: "" });
  }
  const lines = [...text.matchAll(OVERLAY)].map((m) => ({ start: m.index, end: m.index + 1, text: "" }));
  return lines.length < 3 ? edits : ordered([...edits, ...lines]);
}

function charAt(text: string, i: number): string {
  const code = text.codePointAt(i);
  return code === undefined ? "" : String.fromCodePoint(code);
}

function charBefore(text: string, i: number): string {
  const unit = text.charCodeAt(i - 1);
  return unit >= 0xdc00 && unit < 0xe000 ? text.slice(i - 2, i) : text.slice(i - 1, i);
}
