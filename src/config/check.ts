import { isHeaderName } from "./header-names.ts";
import type { Shape } from "./kinds.ts";
import { hint } from "./nearest.ts";
import { held, keepOrigin } from "./origins.ts";
import type { Path, Report } from "./problem.ts";
import { Expanded } from "./variables.ts";

// Walks values and schema together: defaults in, unknown keys out, every problem reported. TypeBox and ajv would do it
// as well, but took 150 ms of every start to load and compile; a test holds this and ajv to the same verdicts.

export interface Checker {
  readonly report: Report;
  /** What a key of v0.1 that does nothing here is answered with; undefined for keys nobody knows. */
  readonly unused: (pattern: string) => string | undefined;
}

const silent: Report = { problem() {}, warn() {} };

export function check(value: unknown, shape: Shape, { report, unused }: Checker): unknown {
  return visit(value, shape, [], "", report);

  function visit(raw: unknown, shape: Shape, path: Path, pattern: string, report: Report): unknown {
    const value = raw instanceof Expanded ? raw.as(shape.type) : raw;
    const wrong = fault(value, shape, raw instanceof Expanded ? raw : undefined);
    if (wrong !== undefined) report.problem(path, wrong);
    if (shape.type === "array") {
      const items = Array.isArray(value) ? value : [];
      const result = items.map((entry, i) =>
        visit(entry, shape.items!, [...path, i], `${pattern}.*`, report),
      );
      for (const [i, entry] of items.entries()) if (entry instanceof Expanded) keepOrigin(result, i, entry);
      return result;
    }
    if (shape.type !== "object") return wrong === undefined ? value : undefined;
    // What is not an object stands in as an empty one, so that the checks between keys can still run.
    const [object, tell] = isObject(value) ? [value, report] : [{}, silent];
    return shape.additionalProperties
      ? entries(object, shape, shape.additionalProperties, path, pattern, tell)
      : properties(object, shape, path, pattern, tell);
  }

  function entries(
    object: Record<string, unknown>,
    { writeOnly }: Shape,
    shape: Shape,
    path: Path,
    pattern: string,
    report: Report,
  ) {
    // No prototype: a model that a client calls "constructor" must not be found.
    const result: Record<string, unknown> = Object.create(null);
    for (const [i, [key, value]] of Object.entries(object).entries()) {
      // A secret table is one of headers; a key that is no name holds the value as well, by some mistake in quoting.
      const part = writeOnly && !isHeaderName(key) ? i : key;
      if (value instanceof Expanded) keepOrigin(result, key, value);
      result[key] = visit(
        value ?? (shape.type === "object" ? {} : value),
        shape,
        [...path, part],
        `${pattern}.*`,
        report,
      );
    }
    return result;
  }

  function properties(
    object: Record<string, unknown>,
    shape: Shape,
    path: Path,
    pattern: string,
    report: Report,
  ) {
    const known = shape.properties!;
    const result: Record<string, unknown> = {};
    for (const key of Object.keys(object)) {
      if (Object.hasOwn(known, key)) continue;
      const why = unused(join(pattern, key));
      if (why !== undefined) report.warn([...path, key], why, "key");
      else
        report.problem(
          [...path, key],
          `unknown key${hint(key, Object.keys(known)) || `; known here: ${Object.keys(known).join(", ")}`}`,
          "key",
        );
    }
    for (const [key, inner] of Object.entries(known)) {
      const isGiven = Object.hasOwn(object, key) && isWritten(object[key]);
      const value = isGiven ? object[key] : inner.default;
      if (!isGiven) keepOrigin(result, key, "default");
      else if (value instanceof Expanded) keepOrigin(result, key, value);
      if (value !== undefined) result[key] = visit(value, inner, [...path, key], join(pattern, key), report);
      else if (shape.required?.includes(key)) {
        report.problem([...path, key], "required");
        result[key] = visit(undefined, inner, path, pattern, silent);
      }
    }
    return result;
  }
}

/** `key:` and `key: ""` are the key not written: its default holds. */
export function isWritten(value: unknown): boolean {
  return value !== undefined && value !== null && (value instanceof Expanded ? value.text : value) !== "";
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Expanded);
}

const join = (pattern: string, key: string) => (pattern === "" ? key : `${pattern}.${key}`);

const nouns = {
  object: "a mapping",
  array: "a list",
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
};

/** What is wrong with the value itself, its parts apart. */
function fault(value: unknown, shape: Shape, expanded: Expanded | undefined): string | undefined {
  const not = `not ${expanded ? held(expanded) : shape.writeOnly ? kind(value) : show(value)}`;
  if (!isOfType(value, shape.type)) {
    const isBare = shape.type === "string" && (typeof value === "number" || typeof value === "boolean");
    const remedy = shape.writeOnly && isBare && !expanded ? "; put it in quotes" : "";
    return `must be ${nouns[shape.type]}, ${not}${remedy}`;
  }
  if (shape.enum && !shape.enum.includes(value as string | number)) {
    const words = shape.enum.map((word) => JSON.stringify(word));
    const guess = expanded || shape.type !== "string" ? "" : hint(String(value), shape.enum.map(String));
    return `must be one of ${words.join(", ")}, ${not}${guess}`;
  }
  if (typeof value === "number" && !isInRange(value, shape)) return `must be ${range(shape)}, ${not}`;
  if (typeof value === "string") {
    if (value.length < (shape.minLength ?? 0)) return "must not be empty";
    if (shape.pattern && !new RegExp(shape.pattern).test(value))
      return `${shape.patternErrorMessage}, ${not}`;
  }
  if (Array.isArray(value) && value.length < (shape.minItems ?? 0)) return "must have at least one entry";
  return undefined;
}

function isOfType(value: unknown, type: Shape["type"]): boolean {
  if (type === "object") return isObject(value);
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  if (type === "number") return Number.isFinite(value);
  return typeof value === type;
}

function isInRange(
  value: number,
  { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity }: Shape,
): boolean {
  return value >= minimum && value <= maximum && value > exclusiveMinimum;
}

/** The allowed range in words; undefined for a key that has none. */
export function range({ minimum, maximum, exclusiveMinimum }: Shape): string | undefined {
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${minimum} or more`;
  return exclusiveMinimum === undefined ? undefined : `more than ${exclusiveMinimum}`;
}

/** All that may be said of a secret. */
function kind(value: unknown): string {
  if (Array.isArray(value)) return nouns.array;
  if (value === undefined || value === null) return "empty";
  return nouns[typeof value as keyof typeof nouns];
}

function show(value: unknown): string {
  if (typeof value !== "string" && typeof value !== "boolean")
    return typeof value === "number" ? String(value) : kind(value);
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}..."` : text;
}
