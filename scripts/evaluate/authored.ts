import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Data, PiiRecord } from "./data.ts";

const share = 0.1;
const source = "authored";

/** Whether an authored text was kept back from training: one in ten, by its hash (training/tasks.py does the same). */
export const keptBack = (text: string): boolean =>
  Number.parseInt(createHash("sha256").update(text).digest("hex").slice(0, 8), 16) < share * 2 ** 32;

/** The texts that were written for training and kept back from it. Folders that are missing are empty. */
export function readAuthored(folder: string): Data {
  const files = (...of: [...string[], string]) => filesIn(join(folder, ...of.slice(0, -1)), of.at(-1)!);
  return {
    category: [
      ...["en", "zh"].flatMap((lang) =>
        files("category", lang, ".txt").flatMap((path) => prompts(path, lang)),
      ),
      ...files("category", ".tsv").flatMap(labelledPrompts),
    ],
    jailbreak: files("jailbreak", ".txt").flatMap((path) => {
      const [, lang, kind] = /^(\w+?)-(.*)$/.exec(basename(path, ".txt")) ?? [];
      if (!lang || !kind) return [];
      const label = kind.startsWith("attacks") ? "jailbreak" : "benign";
      return lines(path)
        .filter(keptBack)
        .map((text) => ({ text, label, lang, source, kind }));
    }),
    pii: files("pii", ".txt").flatMap((path) =>
      lines(path)
        .map((line) => ({ ...unmarked(line), lang: langOf(path), source }))
        .filter(({ text }) => keptBack(text)),
    ),
    similarity: pairs(files("similarity", ".tsv")),
  };
}

function prompts(path: string, lang: string) {
  const label = basename(path).replace(/\..*$/, "").replaceAll("_", " ");
  return lines(path)
    .filter(keptBack)
    .map((text) => ({ text, label, lang, source, kind: "natural" }));
}

/** Lines of `label<TAB>text`. */
function labelledPrompts(path: string) {
  const kind = path.endsWith("-exam.tsv") ? "question" : "natural";
  return columns(path)
    .filter(({ length }) => length === 2)
    .map(([label, text]) => ({
      text: text!.replaceAll("\\n", "\n"),
      label: label!,
      lang: langOf(path),
      source,
      kind,
    }))
    .filter(({ text }) => keptBack(text));
}

/** Texts that meet in pairs are kept back together, by the first of them. */
function pairs(paths: readonly string[]) {
  const first = new Map<string, string>();
  return paths.flatMap((path) =>
    columns(path)
      .filter(([label, , , b, ...rest]) => /^[01]$/.test(label!) && b && rest.length === 0)
      .filter(([, , a, b]) => {
        const one = first.get(a!) ?? first.get(b!) ?? a!;
        first.set(a!, one).set(b!, one);
        return keptBack(one);
      })
      .map(([label, how, a, b]) => ({
        a: a!,
        b: b!,
        label: Number(label),
        how: how!,
        lang: langOf(path),
        source,
      })),
  );
}

const langOf = (path: string): string => basename(path).slice(0, 2);
const columns = (path: string): string[][] =>
  readFileSync(path, "utf8")
    .split("\n")
    .map((line) => line.split("\t"));

/** `\n` and `\t` in a line are the characters they stand for. */
const lines = (path: string): string[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => line.replaceAll("\\n", "\n").replaceAll("\\t", "\t"));

const filesIn = (folder: string, ending: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(ending))
        .sort()
        .map((name) => join(folder, name))
    : [];

/** Takes the marks out of `... [[LABEL|value]] ...`. */
function unmarked(line: string): Pick<PiiRecord, "text" | "spans"> {
  const spans: { start: number; end: number; label: string }[] = [];
  let text = "";
  let at = 0;
  for (const mark of line.matchAll(/\[\[([A-Z_]+)\|([\s\S]*?)\]\]/g)) {
    text += line.slice(at, mark.index);
    const start = codePoints(text);
    text += mark[2]!;
    spans.push({ start, end: codePoints(text), label: mark[1]! });
    at = mark.index + mark[0].length;
  }
  return { text: text + line.slice(at), spans };
}

const codePoints = (text: string): number => [...text].length;
