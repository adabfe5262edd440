import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Programs of this name, in the order of `path`, a PATH. */
export const onPath = (name: string, path = ""): string[] =>
  path
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .filter(isExecutable);

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
