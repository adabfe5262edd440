import { readFile } from "node:fs/promises";
import type { OtlpSettings } from "../settings.ts";

type Named = Pick<OtlpSettings, "headers" | "headerFiles">;

/**
 * The configured headers, names in lower case; those from files are read now, so a rotated secret counts at once.
 * Rejects with a sentence that names the header and the file, never a value.
 */
export async function readHeaders({ headers, headerFiles }: Named): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = value;
  for (const [name, file] of Object.entries(headerFiles)) {
    const value = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      throw new Error(`header "${name}": cannot read ${file} (${error.code}); check header_files`);
    });
    all[name.toLowerCase()] = value.trim();
  }
  for (const [name, value] of Object.entries(all)) {
    if (!/^[\t\x20-\x7e\x80-\xff]+$/.test(value)) {
      const where = Object.keys(headerFiles).find((one) => one.toLowerCase() === name);
      const source = where === undefined ? "its value" : headerFiles[where];
      throw new Error(`header "${name}": ${source} is empty or holds characters that no header may`);
    }
  }
  return all;
}

/** A collector may quote what it was sent ("invalid key ..."): the values never reach a log line. */
export function withoutValues(text: string, headers: Readonly<Record<string, string>>): string {
  let clean = text;
  for (const value of Object.values(headers)) {
    for (const part of [value, ...value.split(" ")]) {
      if (part.length >= 4) clean = clean.replaceAll(part, "***");
    }
  }
  return clean;
}
