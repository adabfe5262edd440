import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The files that a builder would be sent: what .dockerignore leaves of a folder. */
export interface Context {
  readonly folder: string;
  /** The files at or below the path, relative to the folder; an error where there are none. */
  filesAt(path: string): readonly string[];
}

export function openContext(folder: string): Context {
  const sent = ignoreRules(readFileSync(join(folder, ".dockerignore"), "utf8"));
  return {
    folder,
    filesAt(path) {
      const files = below(folder, path.replace(/^\.\//, "")).filter(sent);
      if (files.length === 0)
        throw new Error(`COPY ${path}: nothing of that name is there and sent (.dockerignore)`);
      return files;
    },
  };
}

/**
 * Whether a path is sent, by the text of a .dockerignore: the last pattern that matches the path, or a folder above it,
 * decides. Only `*` alone and plain paths, each with or without `!`, are understood.
 */
export function ignoreRules(text: string): (path: string) => boolean {
  const rules = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ send: line.startsWith("!"), pattern: line.replace(/^!/, "") }));
  for (const { pattern } of rules)
    if (pattern !== "*" && /[*?[\\]|^\/|\/$/.test(pattern))
      throw new Error(`.dockerignore: ${pattern} is not understood`);
  return (path) =>
    rules.findLast(({ pattern }) => pattern === "*" || path === pattern || path.startsWith(`${pattern}/`))
      ?.send ?? true;
}

/** Files, and links, at or below the path, sorted. */
export function below(folder: string, path: string): string[] {
  const stat = lstatSync(join(folder, path), { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [path];
  return readdirSync(join(folder, path))
    .sort()
    .flatMap((name) => below(folder, path === "" ? name : `${path}/${name}`));
}

/** Of names, modes and contents. */
export function digestOf({ folder }: Context, files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) {
    const { mode } = lstatSync(join(folder, file));
    hash
      .update(`${file}\0${mode}\0`)
      .update(readFileSync(join(folder, file)))
      .update("\0");
  }
  return hash.digest("hex");
}
