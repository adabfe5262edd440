import type { Edit } from "./edits.ts";

// Also where the reference's own sign is written as one.
const REFERENCE = /&(?:amp;)*(?:#(?:x0*([0-9a-f]{1,6})|0*(\d{1,7}))(?:;|(?![0-9a-z]))|([a-z]{2,24});)/gi;
const INVISIBLE = /^(?:shy|zwj|zwnj|ZeroWidthSpace|NoBreak|InvisibleTimes|InvisibleComma|ApplyFunction)$/i;
const SIGNS: Readonly<Record<string, string>> = {
  commat: "@",
  period: ".",
  colon: ":",
  comma: ",",
  semi: ";",
  sol: "/",
  lowbar: "_",
  hyphen: "-",
  dash: "-",
  num: "#",
  excl: "!",
  quest: "?",
  lpar: "(",
  rpar: ")",
  plus: "+",
  equals: "=",
  dollar: "$",
  percnt: "%",
  ast: "*",
  verbar: "|",
  nbsp: " ",
  Tab: "\t",
  NewLine: "\n",
  inodot: "i",
  imath: "i",
  jmath: "j",
  szlig: "ß",
};
// Names of letters: of other alphabets of mathematics, and with accents.
const LETTER = /^([A-Za-z])(?:scr|fr|opf)$/;
const ACCENTED =
  /^([A-Za-z])(acute|grave|circ|uml|tilde|ring|cedil|caron|breve|macr|ogon|dot|dblac|slash|strok)$/;
const MARKS: Readonly<Record<string, string>> = {
  acute: "\u0301",
  grave: "\u0300",
  circ: "\u0302",
  uml: "\u0308",
  tilde: "\u0303",
  ring: "\u030a",
  cedil: "\u0327",
  caron: "\u030c",
  breve: "\u0306",
  macr: "\u0304",
  ogon: "\u0328",
  dot: "\u0307",
  dblac: "\u030b",
};
const WORD = /[\p{L}\p{N}]/u;
/** Fewer references than this are punctuation, or an accent. */
const ENOUGH = 3;

/** Character references of HTML: where several make letters, all of them; those of `@`, `.` and `:` wherever they join words. */
export function references(text: string): Edit[] {
  if (!text.includes("&")) return [];
  const all: Edit[] = [];
  const joins: Edit[] = [];
  let words = 0;
  for (const m of text.matchAll(REFERENCE)) {
    const said = read(m[1], m[2], m[3]);
    const inside = WORD.test(text.charAt(m.index - 1));
    const end = m.index + m[0].length;
    if (said === undefined || (said === "" && !inside)) continue;
    if (said === "" || (WORD.test(said) && (m[3] === undefined || LETTER.test(m[3])))) words += 1;
    const edit = { start: m.index, end, text: said };
    all.push(edit);
    if (/^[@.:]$/.test(said) && inside && WORD.test(text.charAt(end))) joins.push(edit);
  }
  return words >= ENOUGH ? all : joins;
}

function read(
  hex: string | undefined,
  decimal: string | undefined,
  name: string | undefined,
): string | undefined {
  if (name === undefined) return character(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  if (INVISIBLE.test(name)) return "";
  const letter = LETTER.exec(name)?.[1];
  if (letter !== undefined) return letter;
  const accented = ACCENTED.exec(name);
  if (accented) return ((accented[1] as string) + (MARKS[accented[2] as string] ?? "")).normalize("NFC");
  return Object.hasOwn(SIGNS, name) ? SIGNS[name] : undefined;
}

const character = (code: number): string | undefined =>
  code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? undefined : String.fromCodePoint(code);
