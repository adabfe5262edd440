import { readFileSync } from "node:fs";

/** A tokenizer, and what the reference library makes of the texts. */
export interface Fixture {
  readonly name: string;
  /** Its `tokenizer.json`. */
  readonly file: Record<string, unknown>;
  /** Special tokens before and after a text. */
  readonly frame: readonly [readonly number[], readonly number[]];
  /** By text; places in UTF-16 units. */
  readonly expected: readonly {
    readonly ids: readonly number[];
    readonly spans: readonly (readonly [number, number])[];
  }[];
}

const [first, ...others] = readFileSync(new URL("../../models/own-tokenizers.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n");

/** Written by own-fixtures.py beside the file. */
export const texts = JSON.parse(first!) as readonly string[];

export const fixtures: ReadonlyMap<string, Fixture> = new Map(
  others.map((line) => JSON.parse(line) as Fixture).map((fixture) => [fixture.name, fixture]),
);

export const fixtureOf = (name: string): Fixture => fixtures.get(name)!;
