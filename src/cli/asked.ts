/** What one line asks for. */
export type Asked =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "pair"; readonly a: string; readonly b: string };

const example = 'give {"text": "..."} or {"a": "...", "b": "..."}';

/**
 * Reads a line of JSON; a key with null counts as one that is not there.
 * Throws an Error that says what is wrong with the line and never quotes it.
 */
export function readAsked(line: string): Asked {
  if (line.trim() === "") throw new Error(`the line is empty: ${example}`);
  const { text, a, b } = objectIn(line);
  if (isThere(text)) {
    // Labelled data may have columns of these names.
    if (typeof a === "string" || typeof b === "string")
      throw new Error('"text" and a pair in one line: give each a line of its own');
    return { kind: "text", text: stringOf("text", text) };
  }
  if (isThere(a) || isThere(b)) return { kind: "pair", a: stringOf("a", a), b: stringOf("b", b) };
  throw new Error(`no "text", and no pair "a", "b": ${example}`);
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null;

function objectIn(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`not valid JSON: ${example}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${named(value)} where an object is due: ${example}`);
  return value as Record<string, unknown>;
}

function stringOf(key: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new Error(
    !isThere(value)
      ? `no "${key}": a pair has "a" and "b"`
      : `"${key}" must be a string, not ${named(value)}`,
  );
}

function named(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
