import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";

/** A folder that is gone after the tests of the file, and a way to put files into it. */
export function scratchFolder(name: string) {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  after(() => rmSync(folder, { recursive: true, force: true }));
  function put(path: string, content: string | Uint8Array): string {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }
  return { folder, put };
}

export const jsonl = (...records: object[]) =>
  records.map((record) => `${JSON.stringify(record)}\n`).join("");

export const numberedTexts = (n: number) => Array.from({ length: n }, (_, i) => `text ${i}`);
