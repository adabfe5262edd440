import { isCommon, likelihood } from "./english.ts";
import type { Hidden } from "./hidden.ts";

const WORDS = /[A-Za-z]{2,}/g;
/** Log-odds that a run must have for its other reading. */
const MIN_GAIN = 14;
const MIN_LETTERS = 12;
/** Log-probability per letter that the other reading must reach: random letters stay below. */
const MIN_PER_LETTER = -2.75;
const MAX_GAP = 200;

/** Text that is English only when each letter is moved along the alphabet or mirrored in it, or when it is read from its end. */
export function misread(text: string): Hidden[] {
  const words = [...text.matchAll(WORDS)].map((m) => ({ text: m[0].toLowerCase(), start: m.index }));
  const found = chineseReversed(text);
  if (words.length < 2) return found;
  const base = words.map((word) => likelihood(word.text));
  for (const shift of shifts(words)) {
    const kind = shift === 13 ? "rot13" : "caesar";
    for (const { start, end } of runs(words, base, (word) => rotated(word, shift))) {
      found.push({ kind, text: rotated(text.slice(start, end), shift), start, end });
    }
  }
  for (const { start, end } of runs(words, base, mirrored)) {
    found.push({ kind: "atbash", text: mirrored(text.slice(start, end)), start, end });
  }
  for (const { start, end } of runs(words, base, reversed)) {
    const part = text.slice(start, end);
    // Nobody knows whether the sentence was turned round or each of its words, so both are read.
    found.push({ kind: "reversed", text: reversed(part), start, end });
    found.push({ kind: "reversed", text: part.replace(WORDS, reversed), start, end });
  }
  return found;
}

interface Word {
  readonly text: string;
  readonly start: number;
}

const reversed = (text: string): string => [...text].reverse().join("");

/** "a" for "z", "b" for "y" and so on. */
const mirrored = (text: string): string =>
  text.replace(/[A-Za-z]/g, (c) => String.fromCharCode((c >= "a" ? 219 : 155) - c.charCodeAt(0)));

function rotated(text: string, shift: number): string {
  return text.replace(/[A-Za-z]/g, (c) => {
    const first = c >= "a" ? 97 : 65;
    return String.fromCharCode(first + ((c.charCodeAt(0) - first + shift) % 26));
  });
}

/** The stretches of words that `read` makes far more English than they are, each the best of its surroundings. */
function runs(
  words: readonly Word[],
  base: readonly number[],
  read: (word: string) => string,
): { start: number; end: number }[] {
  const out: { start: number; end: number }[] = [];
  let [sum, top, from, to] = [0, 0, 0, -1];
  const known = new Map<string, number>();
  const close = (): void => {
    if (top >= MIN_GAIN && isEnglish(words.slice(from, to + 1), read)) {
      const last = words[to] as Word;
      out.push({ start: (words[from] as Word).start, end: last.start + last.text.length });
    }
    [sum, top, to] = [0, 0, -1];
  };
  for (const [i, word] of words.entries()) {
    const before = words[i - 1];
    if (before && sum > 0 && word.start - before.start - before.text.length > MAX_GAP) close();
    if (sum <= 0) from = i;
    const other = known.get(word.text) ?? likelihood(read(word.text));
    known.set(word.text, other);
    sum += other - (base[i] as number);
    if (sum > top) [top, to] = [sum, i];
    else if (sum <= 0 || sum < top - 2 * MIN_GAIN) close();
  }
  close();
  return out;
}

function isEnglish(words: readonly Word[], read: (word: string) => string): boolean {
  const said = words.map((word) => read(word.text));
  const letters = said.reduce((n, word) => n + word.length, 0);
  const sum = said.reduce((n, word) => n + likelihood(word), 0);
  if (words.length < 2 || letters < MIN_LETTERS || sum < MIN_PER_LETTER * letters) return false;
  const common = said.filter(isCommon);
  // One word may be a name that is another one the other way round ("DNA"), however often it comes.
  return new Set(common).size >= (read === reversed ? 2 : 1) && common.length * 6 >= said.length;
}

// The steps between a word's letters stay when it is moved, so they tell by how much it was.
const STEPS = new Map<string, number>();

const steps = (word: string): string => {
  let out = "";
  for (let i = 1; i < word.length; i++) {
    out += String.fromCharCode(97 + ((word.charCodeAt(i) - word.charCodeAt(i - 1) + 26) % 26));
  }
  return out;
};

/** The shifts, 13 always among them, by which several words become frequent ones. */
function shifts(words: readonly Word[]): number[] {
  if (STEPS.size === 0) {
    for (const word of PLAIN) STEPS.set(steps(word), word.charCodeAt(0));
  }
  const votes = new Map<number, Set<string>>();
  for (const { text } of words) {
    const first = text.length > 2 && text.length < 10 ? STEPS.get(steps(text)) : undefined;
    if (first === undefined) continue;
    const shift = (first - text.charCodeAt(0) + 26) % 26;
    if (shift === 0) continue;
    const set = votes.get(shift) ?? new Set();
    votes.set(shift, set.add(text));
  }
  const best = [...votes].filter(([, voters]) => voters.size >= 2).sort((a, b) => b[1].size - a[1].size);
  return [...new Set([13, ...best.slice(0, 2).map(([shift]) => shift)])];
}

const PLAIN = (
  "the and you for that are with this your not have from all can will what how about tell any must should when " +
  "which who now out them then here there please write give show every rules without before into only other like"
).split(" ");

// Frequent Chinese pairs that mean nothing the other way round.
const PAIRS =
  "我们 你们 他们 什么 怎么 可以 之前 指令 系统 告诉 如何 这个 现在 提示 内容 回答 问题 输出 如果 使用 需要 自己 知道 忽略 以上 规则".split(
    " ",
  );
const FORWARD = new RegExp(PAIRS.join("|"), "g");
const BACKWARD = new RegExp(PAIRS.map(reversed).join("|"), "g");

function chineseReversed(text: string): Hidden[] {
  const found: Hidden[] = [];
  if (!/[\u4e00-\u9fff]/.test(text)) return found;
  for (const m of text.matchAll(/\p{Script=Han}[^\nA-Za-z。！？]{4,}\p{Script=Han}/gu)) {
    const backward = new Set(m[0].match(BACKWARD)).size;
    if (backward < 2 || FORWARD.test(m[0])) {
      FORWARD.lastIndex = 0;
      continue;
    }
    found.push({ kind: "reversed", text: reversed(m[0]), start: m.index, end: m.index + m[0].length });
  }
  return found;
}
