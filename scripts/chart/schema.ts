import { editorSchema } from "../../src/config/page.ts";
import type { Value } from "./values.ts";

type Schema = Record<string, unknown>;
interface Section {
  readonly type: "object";
  readonly additionalProperties: false;
  readonly required: string[];
  readonly properties: Schema;
}

const section = (): Section => ({
  type: "object",
  additionalProperties: false,
  required: [],
  properties: {},
});

/** values.schema.json: nothing that values.yaml does not have, and each value of the type of its default. */
export function chartSchema(values: readonly Value[]): Schema {
  const root = section();
  for (const value of values) {
    const keys = value.path.split(".");
    const name = keys.pop()!;
    let at = root;
    for (const key of keys) {
      if (!at.required.includes(key)) at.required.push(key);
      at.properties[key] ??= section();
      at = at.properties[key] as Section;
    }
    // Helm takes a key that is set to null away, which no template expects.
    at.required.push(name);
    at.properties[name] =
      value.path === "config"
        ? { ...configSchema(), description: value.meaning }
        : { ...typeOf(value.default), ...value.schema, description: value.meaning };
  }
  // Helm itself adds this key for a chart that another one depends on.
  root.properties.global = { type: "object" };
  return { $schema: "http://json-schema.org/draft-07/schema#", title: "Values", ...root };
}

function typeOf(value: unknown): Schema {
  if (Array.isArray(value)) return { type: "array" };
  if (typeof value === "object" && value !== null) return { type: "object" };
  return { type: typeof value };
}

/** The schema of the router's configuration, with the freedom that its loader gives (docs/configuration.md). */
export function configSchema(): Schema {
  const { $schema: _, title: __, default: ___, ...root } = editorSchema();
  return { ...lenient(root), type: "object" };
}

/** An expression for what the loader takes for not written, and for what only the environment can tell. */
const OPEN = "^$|\\$\\{";

function lenient(shape: Schema): Schema {
  const { type, enum: words, pattern, minimum, maximum, exclusiveMinimum } = shape;
  const { description, deprecated, minItems } = shape;
  const kept = given({ description, deprecated });
  if (type === undefined) return kept;
  if (type === "array") {
    const items = lenient(shape.items as Schema);
    return { ...kept, type: ["array", "null"], items, ...given({ minItems }) };
  }
  if (type === "object") {
    const properties = mapValues((shape.properties ?? {}) as Record<string, Schema>, lenient);
    const others = shape.additionalProperties;
    const additionalProperties = typeof others === "object" ? lenient(others as Schema) : others;
    return {
      ...kept,
      type: ["object", "null"],
      properties,
      ...given({ additionalProperties, required: shape.required }),
    };
  }
  if (type === "string") {
    const wanted = Array.isArray(words) ? `^(?:${words.map(literal).join("|")})$` : pattern;
    return {
      ...kept,
      type: ["string", "null"],
      ...given({ pattern: wanted && `${OPEN}|(?:${String(wanted)})` }),
    };
  }
  const range = given({ minimum, maximum, exclusiveMinimum });
  // A pattern holds for text only and a range for numbers only, so the two can stand side by side.
  if (!words) return { ...kept, type: [type, "string", "null"], pattern: OPEN, ...range };
  return { ...kept, anyOf: [{ enum: [...(words as unknown[]), null] }, { type: "string", pattern: OPEN }] };
}

const literal = (word: unknown) =>
  String(word)
    .replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")
    .replaceAll("\\/", "/");

const given = (schema: Schema): Schema =>
  Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));

const mapValues = (
  object: Record<string, Schema>,
  change: (schema: Schema) => Schema,
): Record<string, Schema> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
