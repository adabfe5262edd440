import { plainLatin } from "./decorated.ts";
import type { Edit } from "./edits.ts";
import { isKnown, likelihood } from "./english.ts";

const pairs = (from: string, to: string): [string, string][] => [...from].map((c, i) => [c, to.charAt(i)]);

/** Letters of other scripts, and signs of money, that look like a Latin letter. */
const ALIKE = new Map([
  ...pairs("АВЕКМНОРСТУХІЈЅҮԚԜԍасеорухіјѕһԁԛԝѵӏϲү", "ABEKMHOPCTYXIJSYQWGaceopyxijshdqwvlcy"),
  ...pairs("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹοναρυικτχγεηωϳ", "ABEZHIKMNOPTYXCovapuiktxyenwj"),
  ...pairs("ՕՏԼՍօսհոյցզ", "OSLUouhnjgq"),
  ...pairs("ᎪᏴᏟᎠᎬᏀᎻᎥᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᏃ", "ABCDEGHiJKLMPRSTVWZ"),
  ...pairs("ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "ABCDEFGHIJKLMNOPRSTUVWXYZ"),
  ...pairs("ᗩᗷᑕᗪᖴᘜᕼᒍᒪᗰᑎᑭᑫᖇᔕᑌᐯᗯᘔ", "ABCDFGHJLMNPQRSUVWZ"),
  ...pairs("₳฿₵₣₲₭₥₦₱₴₮₩", "ABCFGKMNPSTW"),
]);
/** Those that only resemble one: believed inside a Latin word, never alone. */
const VAGUE = new Map(pairs("кмтнвпгиьзцяєшдλσδ", "kmthbnrnb3urewaaod"));
const MONEY = "₳฿₵₣₲₭₥₦₱₴₮₩";

const ANY = new RegExp(`[${[...ALIKE.keys()].join("")}]`, "u");
const SIGNS = new RegExp(`[${MONEY}]`);
const LOOKING = new RegExp(ANY, "gu");
const WORDS = new RegExp(`[\\p{L}\\p{M}${MONEY}]+`, "gu");
const LATIN = /^[A-Za-z\u00c0-\u024f]/;
const GREEK_SMALL = /[\u03b1-\u03be\u03c0-\u03c9]/;
/** A Latin word or name with a Russian ending. */
const ENDED = /^[A-Za-z]+[а-яё]+$/i;
const MAX_LINE = 2000;
const MIN_PER_LETTER = -2.6;
const MIN_OF_LONG = -3.1;

/** Words that mix Latin letters with look-alikes, or are wholly made of look-alikes amid Latin text, in Latin letters. */
export function lookAlikes(text: string): Edit[] {
  if (!ANY.test(text)) return [];
  const edits: Edit[] = [];
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf("\n", from);
    const to = Math.min(newline < 0 ? text.length : newline + 1, from + MAX_LINE);
    const line = text.slice(from, to);
    if (ANY.test(line)) for (const edit of inLine(line)) edits.push(shifted(edit, from));
    from = to;
  }
  return edits;
}

const shifted = (edit: Edit, by: number): Edit => ({ ...edit, start: edit.start + by, end: edit.end + by });

interface Word {
  readonly start: number;
  readonly text: string;
  /** In Latin letters, small ones. */
  readonly said: string;
  readonly latin: number;
  readonly alike: number;
  readonly vague: number;
  /** Letters that no Latin letter looks like. */
  readonly other: number;
  /** Changes between Latin and look-alike letters along the word. */
  readonly turns: number;
}

interface Line {
  /** Most words are Latin. */
  readonly latin: boolean;
  /** No word is really of another script with look-alikes. */
  readonly pure: boolean;
}

function inLine(line: string): Edit[] {
  const words = [...line.matchAll(WORDS)].map((m) => counted(m[0], m.index));
  let latin = 0;
  let foreign = 0;
  for (const word of words) {
    if (word.other > 0 || (word.vague > 0 && word.latin === 0)) foreign += word.text.length;
    else latin += word.latin;
  }
  const amid = { latin: latin > 0 && foreign * 2 < latin, pure: latin > 0 && foreign === 0 };
  const sure = words.filter((word) => isDisguised(word, amid, false));
  const all = sure.length < 2 ? sure : words.filter((word) => isDisguised(word, amid, true));
  return all.map((word) => ({
    start: word.start,
    end: word.start + word.text.length,
    text: [...word.text].map((c) => latinOf(c) ?? stroked(c, word.text) ?? c).join(""),
  }));
}

// Amid signs of money a crossed "l" is drawn for a capital "I".
const stroked = (c: string, word: string): string | undefined =>
  c === "ł" && SIGNS.test(word) ? "I" : plainLatin(c);

// Of a composed or compatibility form the letter that it is based on, for that is what the model reads.
function base(c: string): string {
  if (c < "\u0080") return c;
  const first = String.fromCodePoint(c.normalize("NFKD").codePointAt(0) as number);
  return plainLatin(first)?.charAt(0) ?? first;
}

function latinOf(c: string): string | undefined {
  const known = ALIKE.get(c) ?? VAGUE.get(c);
  if (known !== undefined || LATIN.test(c)) return known;
  const first = base(c);
  return ALIKE.get(first) ?? VAGUE.get(first);
}

function counted(text: string, start: number): Word {
  let [latin, alike, vague, other, turns, last, said] = [0, 0, 0, 0, 0, 0, ""];
  for (const c of text) {
    if (/^\p{M}$/u.test(c)) continue;
    const letter = base(c);
    let kind = 0;
    if (LATIN.test(letter)) [kind, latin] = [1, latin + 1];
    else if (ALIKE.has(letter)) [kind, alike] = [2, alike + 1];
    else if (VAGUE.has(letter)) [kind, vague] = [2, vague + 1];
    else other += 1;
    said += latinOf(letter) ?? letter;
    if (kind > 0 && last > 0 && kind !== last) turns += 1;
    if (kind > 0) last = kind;
  }
  return { start, text, said: said.toLowerCase(), latin, alike, vague, other, turns };
}

/** `knowing`: other words of the line are disguised, so less is asked of this one. */
function isDisguised(word: Word, line: Line, knowing: boolean): boolean {
  const { latin, alike, vague, other, turns, text, said } = word;
  if (other > 0 || alike + vague === 0) return false;
  const length = latin + alike + vague;
  const greek = GREEK_SMALL.test(text);
  // Words that really are of the other script, and all their letters happen to be look-alikes, have others beside them.
  if (latin === 0) return vague === 0 && line.pure && (knowing || (length >= 3 && !greek));
  if (length < 3) return knowing && isKnown(said);
  // Symbols of physics run together: their reading must be a word.
  if (greek && !isPlausible(said)) return false;
  if (turns >= 2) return true;
  // One side Latin, the other not: a Russian ending, or a symbol of physics before its index.
  const symbol = alike === 1 && (GREEK_SMALL.test(text.charAt(0)) || GREEK_SMALL.test(text.slice(-1)));
  if (line.latin && vague === 0 && (!symbol || knowing)) return true;
  if (isKnown(said)) return true;
  return ENDED.test(text)
    ? knowing && said.startsWith(text.slice(0, 2)) && isPlausible(said)
    : !symbol && isPlausible(said);
}

const isPlausible = (said: string): boolean =>
  isKnown(said) ||
  (said.length >= 4 &&
    /^[a-z]+$/.test(said) &&
    likelihood(said) >= (said.length < 6 ? MIN_PER_LETTER : MIN_OF_LONG) * said.length);

/** The text with every look-alike as its Latin letter, unit by unit: for what looks at letters one by one. */
export const inLatin = (text: string): string =>
  text.replace(LOOKING, (c) => (c.length === 1 ? (ALIKE.get(c) ?? c) : c));
