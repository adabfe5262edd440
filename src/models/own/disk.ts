import { closeSync, openSync, readFileSync, type Stats, statSync } from "node:fs";
import { isPart, Misfit, type Part } from "./tokenizer/part.ts";

/**
 * What the file system says of a file or directory, as a Misfit with the remedy.
 * `absent`: the remedy where it is not there, or is something else.
 */
export function unusable(error: unknown, path: string, absent: string): Misfit {
  const { code = "unreadable" } = error as NodeJS.ErrnoException;
  const says = (what: string, remedy: string): Misfit => new Misfit(`${path}: ${what}; ${remedy}`);
  if (code === "ENOENT" || code === "ENOTDIR") return says("no such file", absent);
  if (code === "EACCES" || code === "EPERM")
    return says(`may not be read (${code})`, "let the user that the router runs as read it");
  if (code === "ELOOP")
    return says(`its symbolic links lead back to themselves (${code})`, "name the real path");
  if (code === "EISDIR") return says("is a directory", absent);
  return says(`cannot be read (${code})`, absent);
}

/** What is at `path`; undefined: nothing. Throws a Misfit where that cannot be told. */
export function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw unusable(error, path, "see that it is there");
  }
}

/** Throws a Misfit unless `path` is a directory. */
export function checkDirectory(path: string): void {
  const remedy = "name the directory that holds the model";
  const status = statusOf(path);
  if (!status) throw new Misfit(`${path}: no such directory; ${remedy}`);
  if (!status.isDirectory()) throw new Misfit(`${path}: is a file; ${remedy}`);
}

/** Throws a Misfit unless `path`, which is there, is a file with something in it that may be read. */
export function checkFile(path: string, remedy: string): void {
  const status = statusOf(path);
  if (!status?.isFile()) throw new Misfit(`${path}: is no file; ${remedy}`);
  try {
    closeSync(openSync(path, "r"));
  } catch (error) {
    throw unusable(error, path, remedy);
  }
  if (status.size === 0) throw new Misfit(`${path}: is empty; ${remedy}`);
}

/** The JSON object in a file, which may begin with a byte order mark. `remedy`: where it is not there, or is none. */
export function jsonAt(path: string, remedy: string): Part {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw unusable(error, path, remedy);
  }
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    throw new Misfit(`${path}: not valid JSON; ${remedy}`);
  }
  if (!isPart(value)) throw new Misfit(`${path}: no JSON object; ${remedy}`);
  return value;
}

/** That of a file which need not be there: then an empty one. */
export const optionalJsonAt = (path: string): Part =>
  statusOf(path) ? jsonAt(path, "mend it or take it away") : {};
