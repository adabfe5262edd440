import { isDeepStrictEqual } from "node:util";
import { isObject } from "../config/check.ts";
import type { Shape } from "../config/kinds.ts";
import { type Config, schema } from "../config/schema.ts";

/** A key whose value in force differs. A key that one side does not have is null there. */
export interface KeyChange {
  /** Entries of lists are named where they have names: `categories["math"].model_scores["qwen3"].score`. */
  readonly path: string;
  readonly old: unknown;
  readonly new: unknown;
}

const hidden = "***";

/** All keys whose values in force differ, defaults filled in, in the order of the reference page. */
export const keyChanges = (old: Config, next: Config): KeyChange[] =>
  differences(old, next, schema as unknown as Shape, "");

function differences(old: unknown, next: unknown, shape: Shape, path: string): KeyChange[] {
  if (isDeepStrictEqual(plain(old), plain(next))) return [];
  if (shape.writeOnly) return secretChange(old, next, shape, path);
  if (isObject(old) && isObject(next)) return ofObjects(old, next, shape, path);
  if (Array.isArray(old) && Array.isArray(next) && shape.items?.type === "object")
    return ofLists(old, next, shape.items, path);
  return [{ path, old: visible(old, shape), new: visible(next, shape) }];
}

type Entries = Readonly<Record<string, unknown>>;

function ofObjects(old: Entries, next: Entries, shape: Shape, path: string): KeyChange[] {
  const keys = new Set([...Object.keys(shape.properties ?? {}), ...Object.keys(old), ...Object.keys(next)]);
  return [...keys].flatMap((key) => {
    const inner = shape.properties?.[key] ?? (shape.additionalProperties as Shape);
    return differences(old[key], next[key], inner, join(path, key));
  });
}

/** Entries are the same where their names are, wherever they stand; that they stand elsewhere is told as well. */
function ofLists(old: readonly unknown[], next: readonly unknown[], items: Shape, path: string): KeyChange[] {
  const [before, after] = [named(old, path), named(next, path)];
  const inBoth = (names: ReadonlyMap<string, unknown>) =>
    [...names.keys()].filter((one) => before.has(one) && after.has(one));
  const [wasOrder, isOrder] = [inBoth(before), inBoth(after)];
  const moved = isDeepStrictEqual(wasOrder, isOrder)
    ? []
    : [{ path: `${path} (order)`, old: wasOrder.join(", "), new: isOrder.join(", ") }];
  return [
    ...[...new Set([...before.keys(), ...after.keys()])].flatMap((name) =>
      differences(before.get(name), after.get(name), items, `${path}[${name}]`),
    ),
    ...moved,
  ];
}

/** A list by the names of its entries; by their places where they have none, or share one. */
function named(list: readonly unknown[], path: string): ReadonlyMap<string, unknown> {
  const key = path.endsWith("model_scores") ? "model" : path.endsWith("custom_attributes") ? "key" : "name";
  const names = list.map((one) => (one as Entries)[key]);
  const distinct = new Set(names);
  const usable = distinct.size === list.length && names.every((name) => typeof name === "string");
  return new Map(list.map((one, i) => [usable ? JSON.stringify(names[i]) : String(i), one]));
}

function secretChange(old: unknown, next: unknown, shape: Shape, path: string): KeyChange[] {
  if (isObject(old) && isObject(next) && shape.additionalProperties) {
    const keys = new Set([...Object.keys(old), ...Object.keys(next)]);
    return [...keys]
      .filter((key) => !isDeepStrictEqual(old[key], next[key]))
      .map((key) => ({ path: join(path, key), old: masked(old[key]), new: masked(next[key]) }));
  }
  return [{ path, old: masked(old), new: masked(next) }];
}

const masked = (value: unknown) => (value === undefined ? null : hidden);

/** The value with its secrets hidden; null for none. */
export function visible(value: unknown, shape: Shape): unknown {
  if (value === undefined) return null;
  if (shape.writeOnly) return hidden;
  if (Array.isArray(value)) return shape.items ? value.map((one) => visible(one, shape.items!)) : value;
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      visible(inner, shape.properties?.[key] ?? (shape.additionalProperties as Shape)),
    ]),
  );
}

/** Model names carry dots and slashes; in brackets they cannot be taken for nested keys. */
function join(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** Tables have no prototype, other objects have one: that is no difference. */
const plain = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value));
