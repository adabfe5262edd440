const indent = 12;
const width = 100;
/** A blank at which no line ends. */
export const unbroken = "\u00a0";

/** A label, and beside it what it stands for: each line wrapped between words, its own indent kept. */
export function block(label: string, lines: readonly string[]): string {
  return lines
    .flatMap(wrapped)
    .map((line, i) => `${(i === 0 ? label : "").padEnd(indent)}${line}`.trimEnd())
    .join("\n");
}

/** A word too long for a line has one of its own. */
function wrapped(line: string): string[] {
  const own = " ".repeat(line.search(/\S|$/));
  const lines: string[] = [];
  let current = own;
  // Two blanks part what belongs together; the second goes where the line ends.
  for (const word of line.trim().split(/(?<=\S) /)) {
    const longer = current.trim() === "" ? own + word.trimStart() : `${current} ${word}`;
    if (longer.length > width - indent && current.trim() !== "") {
      lines.push(current);
      current = own + word.trimStart();
    } else current = longer;
  }
  return [...lines, current].map((one) => one.replaceAll(unbroken, " "));
}

// Controls, among them those that turn the direction of writing: a terminal would obey them.
const controls = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu;

/** On one line and without what a terminal would obey. */
export const plain = (text: string): string => text.replace(controls, " ");

/** The beginning of a text, `columns` wide at most; an ellipsis says that it goes on. */
export function beginning(text: string, columns: number): string {
  const flat = plain(text.slice(0, columns * 8));
  let used = 0;
  let cut = "";
  for (const { segment } of graphemes.segment(flat)) {
    const own = columnsOf(segment);
    if (used + own > columns) return `${cut.slice(0, -lastOf(cut).length)}…`;
    used += own;
    cut += segment;
  }
  return text.length > columns * 8 ? `${cut}…` : cut;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const wide =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\uff00-\uff60]/u;

/** Columns of a terminal, nearly: East Asian letters and emoji take two. */
export const columnsOf = (text: string): number =>
  [...graphemes.segment(text)].reduce((sum, { segment }) => sum + (wide.test(segment) ? 2 : 1), 0);

const lastOf = (text: string): string => [...graphemes.segment(text)].at(-1)?.segment ?? "";

/** Padded to so many columns. */
export const padded = (text: string, columns: number): string =>
  text + " ".repeat(Math.max(0, columns - columnsOf(text)));
