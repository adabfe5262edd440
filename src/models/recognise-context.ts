import type { Entity } from "./encode.ts";

/** A date before a number, with the space between: it is no part of it. */
const DATE = /^(?:\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4}) +(?=\S)/;

/** UTF-16 units of a date, and the space after it, at the start of a run of digits and signs; else 0. */
export function datePrefix(run: string): number {
  return DATE.exec(run)?.[0].length ?? 0;
}

const BEFORE = 40;
const AFTER = 20;

export function found(type: string, start: number, end: number, score: number): Entity {
  return { type, start, end, score, by: "recogniser" };
}

/** A text as the recognisers read it: other forms of digits, letters and separators folded, every offset as it was. */
export class Context {
  readonly text: string;
  #table: Table | undefined;

  constructor(text: string) {
    this.text = folded(text);
  }

  /** Whether words beside `start`..`end`, or the head of its column, match. */
  named(start: number, end: number, words: RegExp): boolean {
    return words.test(this.before(start)) || words.test(this.text.slice(end, end + AFTER));
  }

  /** Whether what stands before matches, with no other number in between. For values whose form says little. */
  labelled(start: number, words: RegExp): boolean {
    const before = this.before(start);
    const last = /\d{2}(?!.*\d{2})/s.exec(before);
    return words.test(last ? before.slice(last.index + 2) : before);
  }

  /** The head of the value's column, or the text before it. */
  before(start: number): string {
    return this.head(start) ?? this.text.slice(Math.max(0, start - BEFORE), start);
  }

  /** The head of the column in which `start` stands, if it stands in a table. */
  head(start: number): string | undefined {
    this.#table ??= new Table(this.text);
    return this.#table.head(start);
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
const ODD = /[^\x00-\x7f]/;
const DIGITS = /\p{Nd}/gu;
const SPACES = /[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g;
const HYPHENS = /[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/g;
const WIDE = /[\uff01-\uff0c\uff0e-\uff5e]/g;
// One to nine, in circles of three kinds, after the character of their zero.
const CIRCLED = /[\u2460-\u2468\u2776-\u277e\u2780-\u2788\u278a-\u2792]/g;
const FIRST = [0x2789, 0x277f, 0x2775, 0x245f];
const ZERO = /[\u24ea\u24ff]/g;
const HAN_DIGITS = "零一二三四五六七八九";
const FORMAL = "零壹贰叁肆伍陆柒捌玖";
// Shorter runs are words and years.
const HAN_NUMBER =
  /[〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖](?:[ -]?[〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]){10,}/g;

function folded(text: string): string {
  if (!ODD.test(text)) return text;
  return text
    .replace(WIDE, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replace(SPACES, " ")
    .replace(HYPHENS, "-")
    .replace(DIGITS, (c) => (c.length > 1 || c <= "9" ? c : String(digitOf(c.charCodeAt(0)))))
    .replace(ZERO, "0")
    .replace(CIRCLED, (c) => {
      const code = c.charCodeAt(0);
      return String(code - (FIRST.find((first) => code > first) as number));
    })
    .replace(HAN_NUMBER, (run) =>
      run.replace(/[^ -]/g, (c) =>
        c === "〇" ? "0" : c === "幺" ? "1" : String(Math.max(HAN_DIGITS.indexOf(c), FORMAL.indexOf(c))),
      ),
    );
}

const NUMERAL = /^\p{Nd}$/u;
// The ten digits of a script stand together, zero first, and the block before them is not digits.
function digitOf(code: number): number {
  let value = 0;
  while (value < 9 && NUMERAL.test(String.fromCharCode(code - value - 1))) value += 1;
  return value;
}

const MAX_ROW = 600;
const NAME = /^[\s"']*[\p{L}_#.()-]+(?:[\s_-]+[\p{L}_#.()-]+){0,2}[\s"']*$/u;
const USUAL =
  /name|\bids?\b|_id|ssn|phone|mobile|tel|e-?mail|card|iban|account|address|date|number|\bno\b|zip|\bip\b|licen|姓名|电话|手机|邮箱|卡号|证|地址|日期|账号|编号/i;

interface Heads {
  readonly names: readonly string[];
  readonly mark: string;
}

interface Row extends Heads {
  readonly start: number;
  readonly line: string;
}

/** Rows of values under a row of names, with commas, semicolons, tabs or bars between. */
class Table {
  readonly #rows: Row[] = [];

  constructor(text: string) {
    if (!text.includes("\n") || !/[,;\t|]/.test(text)) return;
    let above: readonly Heads[] = [];
    for (let start = 0; start < text.length; ) {
      const newline = text.indexOf("\n", start);
      const end = newline < 0 ? text.length : newline;
      const line = text.slice(start, Math.min(end, start + MAX_ROW));
      const cells = ({ mark }: Heads): number => line.split(mark).length;
      const heads =
        above.find((one) => cells(one) === one.names.length) ??
        above.find((one) => cells(one) >= one.names.length);
      if (heads) this.#rows.push({ start, line, ...heads });
      else above = headsIn(line);
      start = end + 1;
    }
  }

  head(at: number): string | undefined {
    let [low, high] = [0, this.#rows.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#rows[middle] as Row).start <= at) low = middle;
      else high = middle - 1;
    }
    const row = this.#rows[low];
    if (!row || at < row.start || at >= row.start + row.line.length) return undefined;
    const cells = row.line.slice(0, at - row.start).split(row.mark);
    // Words before the value in its cell speak for it themselves.
    if (/[\p{L}\p{N}]/u.test(cells.at(-1) as string)) return undefined;
    return row.names[cells.length - 1];
  }
}

/** What a line may be the heads of: the last words before the first mark, or all with the marks, may belong to a sentence. */
function headsIn(line: string): Heads[] {
  const cut = /(?<=[.:?!] )[^.:?!]*$/.exec(line)?.[0] ?? "";
  return [columns(line), columns(cut)].filter((one) => one !== undefined);
}

function columns(line: string): Heads | undefined {
  const mark = /[,;\t|]/.exec(line)?.[0];
  if (mark === undefined || !USUAL.test(line)) return undefined;
  const names = line.split(mark);
  names[0] = /[^.:?!。：]*$/.exec(names[0] as string)?.[0] ?? "";
  return names.every((name) => NAME.test(name)) ? { names, mark } : undefined;
}
