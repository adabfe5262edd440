import { aspects, type Changes } from "./diff-route.ts";
import { beginning, padded } from "./explain/layout.ts";

const promptColumns = 40;
const aspectColumns = Math.max(...aspects.map(({ length }) => length));

/** Columns of a fixed width: a row is written as soon as it is known, however long the file. */
export interface Table {
  readonly head: string;
  row(line: number, prompt: string, changes: Changes): string;
}

export function changeTable(showPrompts: boolean): Table {
  const row = (line: string, prompt: string, what: string, change: string) => {
    const shown = showPrompts ? [padded(beginning(prompt, promptColumns), promptColumns)] : [];
    return `${[line.padStart(6), ...shown, what.padEnd(aspectColumns), change].join("  ").trimEnd()}\n`;
  };
  return {
    head: row("line", "prompt", "what", "old -> new"),
    row: (line, prompt, changes) =>
      aspects
        .flatMap((aspect) => {
          const change = changes[aspect];
          if (!change) return [];
          return [[aspect.replace("_", " "), cellsOf(...change.shown).join(" -> ")] as const];
        })
        .map(([what, change], i) => row(i === 0 ? String(line) : "", i === 0 ? prompt : "", what, change))
        .join(""),
  };
}

const longestCell = 48;
const before = 12;

/** Two texts in short, so that what differs can be seen: of long ones, what they begin with alike is left out. */
export function cellsOf(old: string, next: string): readonly [string, string] {
  const longest = Math.max(old.length, next.length);
  let alike = 0;
  while (alike < longest && old[alike] === next[alike]) alike += 1;
  const from = longest > longestCell && alike > before ? alike - before : 0;
  const short = (text: string) => `${from > 0 ? "…" : ""}${beginning(text.slice(from), longestCell)}`;
  return [short(old), short(next)];
}

/** `3 of 200 prompts would change: 2 model, 1 blocked`. */
export function summary(prompts: number, changed: number, kinds: ReadonlyMap<string, number>): string {
  const which = [...kinds].map(([kind, count]) => `${count} ${kind.replace("_", " ")}`).join(", ");
  const of = `of ${prompts} prompt${prompts === 1 ? "" : "s"} would change`;
  return changed === 0 ? `none ${of}\n` : `${changed} ${of}: ${which}\n`;
}
