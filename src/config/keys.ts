import { isObject, isWritten } from "./check.ts";

/** The keys of a file, and whether each has a value. Of a list nobody asks which of its entries have. */
export type WrittenKeys = boolean | { readonly [key: string]: WrittenKeys };

export function writtenKeys(value: unknown): WrittenKeys {
  if (!isObject(value)) return isWritten(value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, writtenKeys(inner)]));
}

/** Whether this key, such as `observability.tracing.enabled`, is given a value. */
export const isGiven = (keys: WrittenKeys, path: string): boolean =>
  path.split(".").reduce<WrittenKeys>(below, keys) !== false;

const below = (keys: WrittenKeys, key: string): WrittenKeys =>
  typeof keys === "object" && Object.hasOwn(keys, key) ? keys[key]! : false;
