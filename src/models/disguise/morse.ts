import { perLetter } from "./english.ts";
import type { Hidden } from "./hidden.ts";

const LETTERS = new Map(
  ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
    .split(" ")
    .map((code, i) => [code, String.fromCharCode(97 + i)]),
);
const SIGN = "[.\\-·•−–—_]";
const RUN = new RegExp(`${SIGN}{1,5}(?:[ /|\\n]{1,4}${SIGN}{1,5}){5,}`, "g");
const MIN_PER_LETTER = -2.7;

/** Morse code, a space between letters, a bar, slash, line or more spaces between words. */
export function morse(text: string): Hidden[] {
  const found: Hidden[] = [];
  for (const m of text.matchAll(RUN)) {
    const code = m[0].replace(/[·•]/g, ".").replace(/[−–—_]/g, "-");
    const words = code
      .split(/ ?[/|\n] ?| {2,}/)
      .map((word) =>
        word
          .split(" ")
          .map((letter) => LETTERS.get(letter) ?? "")
          .join(""),
      )
      .filter((word) => word !== "");
    if (words.join("").length < 6 || new Set(code).size < 3 || perLetter(words) < MIN_PER_LETTER) continue;
    found.push({ kind: "morse", text: words.join(" "), start: m.index, end: m.index + m[0].length });
  }
  return found;
}
