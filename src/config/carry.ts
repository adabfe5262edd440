import { isObject } from "./check.ts";
import { isGiven, type WrittenKeys } from "./keys.ts";
import type { Shape } from "./kinds.ts";
import { freeze, type Loaded } from "./load.ts";
import { type Config, schema } from "./schema.ts";

/** A loaded configuration as one thread sends it to another: without functions, and it loses its prototypes. */
export interface Carried extends Omit<Loaded, "written"> {
  readonly keys: WrittenKeys;
}

export const pack = ({ config, warnings, source, keys }: Loaded): Carried => ({
  config,
  warnings,
  source,
  keys,
});

export const unpack = ({ config, ...rest }: Carried): Loaded => ({
  ...rest,
  config: freeze(withTables(config, schema as unknown as Shape)) as Config,
  written: (path) => isGiven(rest.keys, path),
});

/** Tables without a prototype, as the checks make them: a model that a client calls "constructor" must not be found. */
function withTables(value: unknown, shape: Shape): unknown {
  if (Array.isArray(value)) for (const item of value) withTables(item, shape.items!);
  else if (isObject(value)) {
    const { properties = {}, additionalProperties: entries } = shape;
    if (entries) Object.setPrototypeOf(value, null);
    for (const [key, inner] of Object.entries(value))
      withTables(inner, properties[key] ?? (entries as Shape));
  }
  return value;
}
