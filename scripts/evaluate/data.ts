import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** A text and its subject. `options` are the choices of an exam question. */
export interface CategoryRecord {
  readonly text: string;
  readonly label: string;
  readonly lang: string;
  readonly source: string;
  readonly kind: string;
  readonly options?: readonly unknown[];
}

/** `label`: `jailbreak`, `harmful` (plainly, without a trick) or `benign`. */
export interface GuardRecord {
  readonly text: string;
  readonly label: string;
  readonly lang: string;
  readonly source: string;
  readonly kind: string;
}

/** Offsets of spans count code points. `annotated`: the types that were looked for; without it, all. */
export interface PiiRecord {
  readonly text: string;
  readonly spans: readonly { readonly start: number; readonly end: number; readonly label: string }[];
  readonly lang: string;
  readonly source: string;
  readonly annotated?: readonly string[];
}

/** `label` 1: an answer to one would serve for the other. `how` the pair was made, where that is known. */
export interface PairRecord {
  readonly a: string;
  readonly b: string;
  readonly label: number;
  readonly lang: string;
  readonly source: string;
  readonly how?: string;
}

/** The development sets, by task. */
export interface Data {
  readonly category: readonly CategoryRecord[];
  readonly jailbreak: readonly GuardRecord[];
  readonly pii: readonly PiiRecord[];
  readonly similarity: readonly PairRecord[];
}

/**
 * All development files of a collection: `<task>/*dev.jsonl`, packed (`.gz`) or not. A task without a file is empty.
 * Throws an Error that names the file and the line that is no JSON.
 */
export function readData(folder: string): Data {
  return {
    category: recordsOf(folder, "category"),
    jailbreak: recordsOf(folder, "jailbreak"),
    pii: recordsOf(folder, "pii"),
    similarity: recordsOf(folder, "similarity"),
  };
}

/** The folder that was named, else the usual one if it is there. Throws an Error when the named one is missing. */
export function findData(named: string | undefined, usual: string): string | undefined {
  if (!named) return existsSync(usual) ? usual : undefined;
  if (existsSync(named)) return named;
  throw new Error(`there is no data in ${named}: name the collection's folder by --data or DATA`);
}

export function joined(one: Data, other: Data): Data {
  return {
    category: [...one.category, ...other.category],
    jailbreak: [...one.jailbreak, ...other.jailbreak],
    pii: [...one.pii, ...other.pii],
    similarity: [...one.similarity, ...other.similarity],
  };
}

function recordsOf<T>(folder: string, task: string): T[] {
  const at = join(folder, task);
  if (!existsSync(at)) return [];
  return readdirSync(at)
    .filter((name) => /dev\.jsonl(?:\.gz)?$/.test(name))
    .sort()
    .flatMap((name) => linesOf<T>(join(at, name)));
}

function linesOf<T>(path: string): T[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  return text.split("\n").flatMap((line, i) => {
    if (line === "") return [];
    try {
      return [JSON.parse(line) as T];
    } catch {
      throw new Error(`${path}:${i + 1} is not JSON: restore the file`);
    }
  });
}
