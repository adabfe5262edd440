import { type Edit, ordered } from "./edits.ts";
import { perLetter } from "./english.ts";

/** One escape: what it stands for, as a byte of UTF-8 or as a UTF-16 unit or code point. */
interface Escape {
  readonly start: number;
  readonly end: number;
  readonly code: number;
  readonly byte: boolean;
  /** It may count as a letter that nobody has a reason to escape. */
  readonly counts: boolean;
  /** An end of a range in a regular expression. */
  readonly range: boolean;
}

interface Form {
  readonly sign: string;
  readonly pattern: RegExp;
  /** Only where so many follow each other, because one alone is often something else. */
  readonly run?: number;
}

// Groups of a match: code in hexadecimal, byte in hexadecimal, byte in octal.
const FORMS: readonly Form[] = [
  {
    sign: "\\",
    pattern:
      /\\{1,2}(?:u([0-9A-Fa-f]{4})|[ux]\{([0-9A-Fa-f]{1,6})\}|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|([0-3][0-7]{2}))/g,
  },
  { sign: "%", pattern: /%(?:25)*(?:u([0-9A-Fa-f]{4})()()|([0-9A-Fa-f]{2})())/g },
  { sign: "=", pattern: /=(?:\r?\n)?()()()([0-9A-Fa-f]{2})()/g, run: 3 },
  { sign: "U+", pattern: /U\+([0-9A-Fa-f]{4,6})()()()()[ ,;]{0,2}/g, run: 4 },
  { sign: "\\", pattern: /\\(?:([0-9A-Fa-f]{6}) ?|([0-9A-Fa-f]{2,5}) )()()()/g, run: 4 },
];
const WORD = /[\p{L}\p{N}]/u;
const LETTER = /[A-Za-z]/;
const UTF8 = new TextDecoder("utf-8", { fatal: true });
/** Fewer escapes than this are punctuation, an accent, a range in a regular expression. */
const ENOUGH = 3;

/** Escapes of JSON, C, URLs, mail, CSS and the U+ form, where they make up words or parts of them. */
export function escapes(text: string): Edit[] {
  return ordered(FORMS.flatMap((form) => (text.includes(form.sign) ? inForm(text, form) : [])));
}

function inForm(text: string, form: Form): Edit[] {
  const runs: Escape[][] = [];
  for (const m of text.matchAll(form.pattern)) {
    const one = oneOf(m, text);
    const last = runs.at(-1)?.at(-1);
    if (last?.end === one.start) (runs.at(-1) as Escape[]).push(one);
    else runs.push([one]);
  }
  if (form.sign === "\\") spaced(runs, text);
  const long = form.run === undefined ? runs : runs.filter((run) => run.length >= (form.run as number));
  const words = long.map((run) => ({ run, said: decoded(run) }));
  let letters = 0;
  for (const { run } of words) {
    // A lone one is part of a word only where a letter stands beside it.
    const [first, last] = [run[0] as Escape, run.at(-1) as Escape];
    const beside = WORD.test(text.charAt(first.start - 1)) || WORD.test(text.charAt(last.end));
    if (beside || run.length > 1) for (const one of run) if (one.counts) letters += 1;
  }
  const all = letters >= ENOUGH;
  const edits: Edit[] = [];
  for (const { run, said } of words) {
    if (said === undefined || !(all ? isPrintable(said) : isSentence(run, said))) continue;
    if (isPath(text, run, said)) continue;
    edits.push({ start: (run[0] as Escape).start, end: (run.at(-1) as Escape).end, text: said });
  }
  if (form.sign !== "%" || all) return edits;
  return [
    ...edits,
    ...tokens(
      text,
      long.filter((run) => run.length < ENOUGH),
    ),
  ];
}

/** Single escapes with spaces or commas between become one run. */
function spaced(runs: Escape[][], text: string): void {
  let to = 0;
  for (let i = 0; i < runs.length; ) {
    let j = i + 1;
    while (j < runs.length && parted(runs[j - 1] as Escape[], runs[j] as Escape[], text)) j += 1;
    // Fewer are a list of characters.
    const all = j - i >= 6 ? [runs.slice(i, j).flat()] : runs.slice(i, j);
    for (const run of all) runs[to++] = run;
    i = j;
  }
  runs.length = to;
}

function parted(before: readonly Escape[], after: readonly Escape[], text: string): boolean {
  if (before.length > 1 || after.length > 1) return false;
  return /^[ ,;]{1,2}$/.test(text.slice((before[0] as Escape).end, (after[0] as Escape).start));
}

function oneOf(m: RegExpExecArray, text: string): Escape {
  const [start, end] = [m.index, m.index + m[0].length];
  const wide = m[1] || m[2] || m[3];
  const code = wide
    ? Number.parseInt(wide, 16)
    : m[5]
      ? Number.parseInt(m[5], 8)
      : Number.parseInt(m[4] as string, 16);
  // Ends of a range in a regular expression, and formats of numbers such as "%4d".
  const range = /-$/.test(text.slice(start - 1, start)) || /^-[\\]/.test(text.slice(end, end + 2));
  const format = m[0].startsWith("%") && /[a-f]$/i.test(m[0]);
  const counts = !range && !format && code < 0x80 && LETTER.test(String.fromCharCode(code));
  return { start, end, code, byte: !wide, counts, range };
}

/** What a run says: bytes as UTF-8, units and code points as they are. */
function decoded(run: readonly Escape[]): string | undefined {
  if (run.some((one) => one.code > 0x10ffff)) return undefined;
  if (!run.every((one) => one.byte)) {
    return run
      .map(({ code }) => (code < 0x10000 ? String.fromCharCode(code) : String.fromCodePoint(code)))
      .join("");
  }
  try {
    return UTF8.decode(Uint8Array.from(run, (one) => one.code));
  } catch {
    return undefined;
  }
}

/** Spaces and letters of other scripts in one token of an address, with plain letters between: "all%20the%20rules". */
function tokens(text: string, runs: readonly (readonly Escape[])[]): Edit[] {
  const edits: Edit[] = [];
  let token: Edit[] = [];
  let words = 0;
  let end = -1;
  const close = (): void => {
    if (words >= ENOUGH) edits.push(...token);
    [token, words] = [[], 0];
  };
  for (const run of runs) {
    const [start, after] = [(run[0] as Escape).start, (run.at(-1) as Escape).end];
    if (end >= 0 && /\s/.test(text.slice(end, start))) close();
    end = after;
    const said = decoded(run);
    if (said === undefined || !isPrintable(said)) continue;
    if (/^[\p{L}\p{N} ]+$/u.test(said)) words += run.length;
    token.push({ start, end: after, text: said });
  }
  close();
  return edits;
}

// "C:\100\101": numbers of directories.
function isPath(text: string, run: readonly Escape[], said: string): boolean {
  const { start, end } = run[0] as Escape;
  if (end - start > 4 || !/^\\\d/.test(text.slice(start, end))) return false;
  const before = /\S*$/.exec(text.slice(Math.max(0, start - 120), start))?.[0] ?? "";
  if (!/(?:^|[^A-Za-z])[A-Za-z]:\\?|^["'(]?\\\\\w/.test(before)) return false;
  return perLetter(said.toLowerCase().match(/[a-z]+/g) ?? []) < -2.4 || said.length < 6;
}

const isSentence = (run: readonly Escape[], said: string): boolean =>
  run.length >= ENOUGH && isWordy(said) && !run.some((one) => one.range);

const isPrintable = (said: string): boolean => /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\p{Cf}\t\r\n]+$/u.test(said);

/** Whether nearly all of it is letters, digits, punctuation and space, and some of it letters. */
function isWordy(said: string): boolean {
  const letters = said.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  const good = said.match(/[\p{L}\p{M}\p{N}\p{P}\p{S}\s\p{Cf}]/gu)?.length ?? 0;
  return letters >= ENOUGH && good >= 0.95 * [...said].length && !said.includes("\ufffd");
}
