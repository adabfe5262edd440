import { filesUnder, textOf } from "../support/repo.ts";

/** The pages that people write; `docs/configuration.md` is written by a program and tested with it. */
export const pages: readonly string[] = [
  "README.md",
  "README.zh-CN.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...filesUnder("docs", /\.md$/).filter((path) => /^docs\/(?!configuration\.)[^/]+$/.test(path)),
];

export interface Block {
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

/** Fenced code, in the order of the page. */
export function blocksOf(page: string, language?: string): Block[] {
  const found = [...textOf(page).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)];
  return found
    .map(([, tag, text]) => ({ page, language: tag!, text: text!.trimEnd() }))
    .filter((block) => language === undefined || block.language === language);
}

/** The text without fenced code. */
export const proseOf = (page: string): string => textOf(page).replace(/^```[\s\S]*?^```$/gm, "");

/** Part of a page: from the heading up to the next one of the same or a higher level. */
export function section(page: string, heading: string): string {
  const lines = textOf(page).split("\n");
  const from = lines.indexOf(heading);
  if (from < 0) throw new Error(`${page} has no heading "${heading}"`);
  const level = heading.indexOf(" ");
  const rest = lines.slice(from + 1);
  const to = rest.findIndex((line) => /^#+ /.test(line) && line.indexOf(" ") <= level);
  return rest.slice(0, to < 0 ? undefined : to).join("\n");
}

/** Rows of the tables in a text, their heads left out. */
export function rowsOf(text: string): string[][] {
  const lines = text.split("\n");
  return lines.flatMap((line, i) => {
    const isHead = /^\| ?-/.test(lines[i + 1] ?? "");
    if (!line.startsWith("|") || /^\| ?-/.test(line) || isHead) return [];
    return [
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    ];
  });
}

/** What stands in backquotes. */
export const codeIn = (text: string): string[] => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);

/** The words that the union type or list `name` is made of, read from a source file. */
export function unionIn(path: string, before: string): string[] {
  const text = textOf(path);
  const from = text.indexOf(before);
  if (from < 0) throw new Error(`${path} has no "${before}"`);
  const until = text.indexOf(";", from);
  return [...text.slice(from + before.length, until).matchAll(/"([a-z_0-9]+)"/g)].map(([, word]) => word!);
}

export const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();
