/** An object of `tokenizer.json` or another file of the model, as it was read. */
export type Part = Readonly<Record<string, unknown>>;

/** A file of the model that cannot be used: what is wrong with it, and what to do. */
export class Misfit extends Error {
  override readonly name = "Misfit";
}

export const isPart = (value: unknown): value is Part =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `value` as an object, or a Misfit that says what is missing. */
export function partOf(value: unknown, what: string): Part {
  if (isPart(value)) return value;
  throw new Misfit(`${what} is missing or no object`);
}

/** The list `key`, or none. */
export const partsOf = (part: Part, key: string): Part[] =>
  Array.isArray(part[key]) ? part[key].map((entry) => partOf(entry, `an entry of ${key}`)) : [];

export const textAt = (part: Part, key: string, fallback: string): string =>
  typeof part[key] === "string" ? part[key] : fallback;

export const flagAt = (part: Part, key: string, fallback: boolean): boolean =>
  typeof part[key] === "boolean" ? part[key] : fallback;

export const numberAt = (part: Part, key: string): number | undefined =>
  typeof part[key] === "number" ? part[key] : undefined;

/** The pattern of a normaliser or pre-tokeniser: `{ String }` or `{ Regex }`, global. */
export function patternOf(part: Part, what: string): RegExp {
  const pattern = isPart(part.pattern) ? part.pattern : {};
  const source = typeof pattern.String === "string" ? escaped(pattern.String) : textAt(pattern, "Regex", "");
  if (source === "") throw new Misfit(`${what} has no pattern`);
  try {
    return new RegExp(source, "gu");
  } catch {
    throw new Misfit(`${what}: the pattern ${source} is not one that JavaScript knows`);
  }
}

/** `text` as a pattern that matches just it. */
export const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
