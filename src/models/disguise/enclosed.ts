import { type Edit, ordered } from "./edits.ts";
import { isCommon, likelihood } from "./english.ts";

// Letters in circles, squares and brackets, and the mathematical alphabets with their letterlike outliers.
const ENCLOSED = "\\u249c-\\u24e9\\u{1f110}-\\u{1f189}";
const MATHEMATICAL =
  "\\u210a-\\u2113\\u2115\\u2118-\\u211d\\u2124\\u2128\\u212c\\u212d\\u212f-\\u2138\\u{1d400}-\\u{1d7ff}";
const RUNS = new RegExp(`[${ENCLOSED}${MATHEMATICAL}]{3,}`, "gu");
// Enclosed letters also where spaces or variation selectors part them.
const SPACED = new RegExp(`[${ENCLOSED}](?:[ \\ufe0f]{0,3}[${ENCLOSED}]){3,}\\ufe0f?`, "gu");
const ONE = new RegExp(`[${ENCLOSED}]\\ufe0f?`, "gu");
const MIN_PER_LETTER = -2.9;
// One or two within a word.
const WITHIN = new RegExp(
  `(?<=[A-Za-z])[${ENCLOSED}${MATHEMATICAL}]{1,2}|[${ENCLOSED}${MATHEMATICAL}]{1,2}(?=[A-Za-z]{2})`,
  "gu",
);
const FLAGS = /[\u{1f1e6}-\u{1f1ff}]+/gu;
/** Enclosed, mathematical and regional-indicator letters that spell something, as plain letters. */
export function enclosed(text: string): Edit[] {
  const edits: Edit[] = [];
  for (const m of text.matchAll(SPACED)) {
    for (const one of m[0].matchAll(ONE)) edits.push(plain(one[0], m.index + one.index));
  }
  for (const m of text.matchAll(RUNS)) edits.push(plain(m[0], m.index));
  for (const m of text.matchAll(WITHIN)) {
    const edit = plain(m[0], m.index);
    if (isOfWord(edit, text)) edits.push(edit);
  }
  if (text.includes("\ud83c")) {
    const runs = [...text.matchAll(FLAGS)];
    // Where one run is no flags but letters, the others that happen to be flags are letters too.
    const spelling = runs.some((m) => !isFlags(m[0]));
    for (const m of runs) {
      if (!spelling || (m[0].length <= 4 && isFlags(m[0]))) continue;
      edits.push({ start: m.index, end: m.index + m[0].length, text: lettersOf(m[0]) });
    }
  }
  return ordered(edits);
}

/** Whether a word results; else it is the number of an item before or after one. */
function isOfWord({ start, end, text: said }: Edit, text: string): boolean {
  const left = /[A-Za-z]*$/.exec(text.slice(Math.max(0, start - 20), start))?.[0] ?? "";
  const right = /^[A-Za-z]*/.exec(text.slice(end, end + 20))?.[0] ?? "";
  if (left !== "" && /^[a-z]/.test(right)) return true;
  const word = (left + said + right).toLowerCase();
  if (!/^[a-z]+$/.test(word) || (/[a-z]$/.test(said) && /^[A-Z]/.test(right))) return false;
  // Letters in squares number nothing.
  if (/[\u{1f130}-\u{1f189}]/u.test(text.slice(start, end))) return true;
  return isCommon(word) || (word.length > 4 && likelihood(word) >= MIN_PER_LETTER * word.length);
}

function plain(run: string, start: number): Edit {
  return { start, end: start + run.length, text: [...run].map(letter).join("") };
}

function letter(c: string): string {
  const code = c.codePointAt(0) as number;
  if (code === 0xfe0f) return "";
  if (code >= 0x249c && code <= 0x24b5) return String.fromCharCode(97 + code - 0x249c);
  for (const first of [0x1f110, 0x1f130, 0x1f150, 0x1f170]) {
    if (code >= first && code < first + 26) return String.fromCharCode(65 + code - first);
  }
  return c.normalize("NFKD");
}

let regions: Intl.DisplayNames | undefined;

const lettersOf = (run: string): string =>
  [...run].map((c) => String.fromCharCode(65 + (c.codePointAt(0) as number) - 0x1f1e6)).join("");

// Two of them are a flag if there is such a region; else each stands for its letter.
function isFlags(run: string): boolean {
  const letters = lettersOf(run);
  regions ??= new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  for (let i = 0; i < letters.length; i += 2) {
    const pair = letters.slice(i, i + 2);
    if (pair.length < 2 || !(regions.of(pair) || /^(?:EU|UN|XK)$/.test(pair))) return false;
  }
  return true;
}
