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
  return {
    category: ["en", "zh"].flatMap((lang) =>
      filesIn(join(folder, "category", lang), ".txt").flatMap((path) =>
        texts(path).map((text) => ({
          text,
          label: basename(path, ".txt").replaceAll("_", " "),
          lang,
          source,
          kind: "natural",
        })),
      ),
    ),
    jailbreak: filesIn(join(folder, "jailbreak"), ".txt").flatMap((path) => {
      const [, lang, kind] = /^(\w+?)-(.*)$/.exec(basename(path, ".txt")) ?? [];
      if (!lang || !kind) return [];
      const label = kind.startsWith("attacks") ? "jailbreak" : "benign";
      return texts(path).map((text) => ({ text, label, lang, source, kind }));
    }),
    pii: filesIn(join(folder, "pii"), ".txt").flatMap((path) =>
      lines(path)
        .map((line) => ({ ...unmarked(line), lang: basename(path).slice(0, 2), source }))
        .filter(({ text }) => keptBack(text)),
    ),
    similarity: filesIn(join(folder, "similarity"), ".tsv").flatMap((path) =>
      readFileSync(path, "utf8")
        .split("\n")
        .map((line) => line.split("\t"))
        // Pairs of one question stay on one side, so the first text decides.
        .filter(([label, , a, b, ...rest]) => /^[01]$/.test(label!) && b && rest.length === 0 && keptBack(a!))
        .map(([label, how, a, b]) => ({
          a: a!,
          b: b!,
          label: Number(label),
          how: how!,
          lang: basename(path, ".tsv"),
          source,
        })),
    ),
  };
}

const texts = (path: string): string[] => lines(path).filter(keptBack);

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
