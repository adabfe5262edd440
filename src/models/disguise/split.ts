import { frequentPairs } from "./chinese.ts";
import { isCommon, isKnown, likelihood, segmented } from "./english.ts";
import type { Piece } from "./groups.ts";
import type { Hidden } from "./hidden.ts";
import { inLatin } from "./look-alikes.ts";

// Tags stand in gaps, however many letters they have.
const TAG = "</?[A-Za-z][^<>\\n]{0,40}>|<!--[^>\\n]{0,40}-->";
const TOKENS = new RegExp(`${TAG}|[A-Za-z]+`, "g");
const GAP = new RegExp(`^(?:${TAG}|[^A-Za-z<]|<(?!/?[A-Za-z])){1,60}$`);
const TAGS = new RegExp(TAG, "g");
const MAX_GAP = 7;
const LONGEST_PIECE = 3;
const MIN_LETTERS = 6;
/** Mean log-probability per letter of what the pieces make: single letters come in no other way, syllables do. */
const OF_LETTERS = -2.6;
const OF_LONG = -2.9;
const OF_SYLLABLES = -2.2;
/** A longer word is several that nothing parts. */
const LONG = 9;

/** Words whose letters are kept apart by anything: "i-g-n-o-r-e", "i g n o r e   a l l", "ig.no.re", "忽*略*以*上". */
export function split(text: string): Hidden[] {
  return [...latin(inLatin(text)), ...han(text)];
}

function latin(text: string): Hidden[] {
  const found: Hidden[] = [];
  let run: Piece[] = [];
  const close = (): void => {
    if (run.length >= 3) found.push(...read(run, text));
    run = [];
  };
  for (const m of text.matchAll(TOKENS)) {
    if (m[0].startsWith("<")) continue;
    const last = run.at(-1);
    const end = m.index + m[0].length;
    if (last && !isGap(text.slice(last.end, Math.min(m.index, last.end + 61)))) close();
    if (m[0].length > LONGEST_PIECE) close();
    else run.push({ text: m[0].toLowerCase(), start: m.index, end });
  }
  close();
  return found;
}

const isGap = (gap: string): boolean =>
  gap.includes("<")
    ? GAP.test(gap) && (gap.length <= MAX_GAP || gap.replace(TAGS, "").length <= MAX_GAP)
    : gap.length <= MAX_GAP;

/** The best stretches of a run of pieces, as the words that they make. */
function read(run: readonly Piece[], text: string): Hidden[] {
  const found: Hidden[] = [];
  const words = wordsOf(run, text);
  let from = 0;
  let [sum, top, to] = [0, 0, -1];
  const close = (next: number): void => {
    if (to >= 0) {
      const one = hidden(words.slice(from, to + 1));
      if (one) found.push(one);
    }
    [from, sum, top, to] = [next, 0, 0, -1];
  };
  for (const [i, word] of words.entries()) {
    const { length } = word.text;
    const gain = likelihood(word.text) - (length < 6 ? OF_LETTERS : OF_LONG) * length;
    // Short ones are rare by the letter, yet known ones belong to what stands around them.
    sum += isKnown(word.text) ? Math.max(gain, 0.1) : gain;
    if (sum > top) [top, to] = [sum, i];
    else if (sum < 0) close(i + 1);
  }
  close(words.length);
  return found;
}

interface Word {
  readonly text: string;
  readonly pieces: readonly Piece[];
}

/** Pieces put together to words: by gaps of their own where there are such, else by what is likely. */
function wordsOf(run: readonly Piece[], text: string): Word[] {
  const gaps = run.slice(1).map((piece, i) => text.slice((run[i] as Piece).end, piece.start));
  const usual = [...Map.groupBy(gaps, (gap) => gap)].sort((a, b) => b[1].length - a[1].length)[0]?.[0] ?? "";
  // With one sign between letters and another between words the words are known.
  const parts: Piece[][] = [[run[0] as Piece]];
  for (const [i, piece] of run.slice(1).entries()) {
    const gap = gaps[i] as string;
    const parted = gap !== usual && (gap.length > usual.length || (/\s/.test(gap) && !/\s/.test(usual)));
    if (parted) parts.push([piece]);
    else (parts.at(-1) as Piece[]).push(piece);
  }
  return parts.flatMap(cut);
}

function cut(pieces: readonly Piece[]): Word[] {
  const letters = pieces.map((piece) => piece.text).join("");
  if (letters.length <= LONG && pieces.length > 1) return [{ text: letters, pieces }];
  const out: Word[] = [];
  let [i, at] = [0, 0];
  let end = 0;
  for (const text of segmented(letters)) {
    const own: Piece[] = [];
    end += text.length;
    // A piece belongs to the word in which it begins.
    while (i < pieces.length && at < end) {
      own.push(pieces[i] as Piece);
      at += (pieces[i] as Piece).text.length;
      i += 1;
    }
    out.push({ text, pieces: own });
  }
  return out;
}

function hidden(words: readonly Word[]): Hidden | undefined {
  const pieces = words.flatMap((word) => word.pieces);
  const said = words.map((word) => word.text);
  const letters = said.join("").length;
  const perLetter = said.reduce((n, word) => n + likelihood(word), 0) / letters;
  if (letters < MIN_LETTERS || new Set(said.join("")).size < 4 || pieces.length < 3 || perLetter < OF_LETTERS)
    return undefined;
  // Words that are nothing but short are read as they stand.
  const known = pieces.filter((piece) => piece.text.length > 1 && isKnown(piece.text)).length;
  if (known * 2 >= pieces.length || said.length > 0.7 * pieces.length) return undefined;
  if (pieces.reduce((n, piece) => n + piece.text.length, 0) >= 1.3 * pieces.length) {
    const made = new Set(
      words.filter((word) => word.pieces.length > 1 && isCommon(word.text)).map((w) => w.text),
    );
    if (letters < 12 || perLetter < OF_SYLLABLES || made.size < 2) return undefined;
  }
  const [start, end] = [(pieces[0] as Piece).start, (pieces.at(-1) as Piece).end];
  return { kind: "split", text: said.join(" "), start, end };
}

const HAN_GAP = `(?:${TAG}|[^\\p{Script=Han}<]|<(?!/?[A-Za-z])){1,4}`;
const HAN = new RegExp(
  `(?<!\\p{Script=Han})\\p{Script=Han}(?:${HAN_GAP}\\p{Script=Han}(?!\\p{Script=Han})){3,}`,
  "gu",
);
/** Signs that part the items of honest lists and titles. */
const LIST = /^[\s、，,。.；;：:|/-]*$/;

function han(text: string): Hidden[] {
  const found: Hidden[] = [];
  if (!/\p{Script=Han}/u.test(text)) return found;
  for (const m of text.matchAll(HAN)) {
    const said = m[0].match(/\p{Script=Han}/gu) ?? [];
    const pairs = frequentPairs(said.join(""));
    const list = LIST.test(m[0].replace(/\p{Script=Han}/gu, ""));
    if (pairs < (list ? 2 : 1) || said.length > 12 * pairs) continue;
    found.push({ kind: "split", text: said.join(""), start: m.index, end: m.index + m[0].length });
  }
  return found;
}
