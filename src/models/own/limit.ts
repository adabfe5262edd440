import { Misfit, type Part } from "./tokenizer/part.ts";

/** Tokens that a model takes in one pass, special ones included, and the file and the key that say so. */
export interface Limit {
  readonly tokens: number;
  readonly path: string;
  readonly key: string;
}

/** The number at `key` of the file at `path`. Throws a Misfit for what is there and no whole number. */
export function limitAt(part: Part, key: string, path: string): Limit | undefined {
  const { [key]: value } = part;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value)) {
    const remedy = "write how many tokens the model takes, or take the key away";
    throw new Misfit(`${path}: ${key} is ${JSON.stringify(value)}, no whole number; ${remedy}`);
  }
  return { tokens: value, path, key };
}

/** The lowest of those that are there. */
export const lowest = (first: Limit, ...others: readonly (Limit | undefined)[]): Limit =>
  others.reduce<Limit>((least, one) => (one && one.tokens < least.tokens ? one : least), first);
