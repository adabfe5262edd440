import type * as TypeBox from "@sinclair/typebox";

// The few shapes a key can have: JSON Schema as plain objects, typed as TypeBox's so that `Static` infers the types.
// TypeBox itself is not loaded, for the reason given in check.ts.

/** The part of JSON Schema in use here; the checker, the page and the editors' schema all read it. */
export interface Shape {
  readonly type: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly description: string;
  readonly default?: unknown;
  readonly enum?: readonly (string | number)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly patternErrorMessage?: string;
  readonly minItems?: number;
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | Shape;
  /** JSON Schema's own word for a secret: no message shows the value. */
  readonly writeOnly?: true;
}

type Range = Pick<Shape, "minimum" | "maximum" | "exclusiveMinimum"> & { default?: number };
type Wording = Pick<Shape, "pattern" | "patternErrorMessage"> & { default?: string };

const isOptional = Symbol("optional");

const typed = <T extends TypeBox.TSchema>(shape: Shape) => shape as unknown as T;
const shapes = (properties: TypeBox.TProperties) => properties as unknown as Record<string, Shape>;
const fallback = (value: unknown) => (value === undefined ? {} : { default: value });

export const text = (description: string, more: Wording = {}) =>
  typed<TypeBox.TString>({ type: "string", description, minLength: 1, ...more });

export const whole = (description: string, more: Range = {}) =>
  typed<TypeBox.TInteger>({ type: "integer", description, ...more });

export const number = (description: string, more: Range = {}) =>
  typed<TypeBox.TNumber>({ type: "number", description, ...more });

/** A score or a rate: 0 to 1. */
export const share = (description: string, value?: number) =>
  typed<TypeBox.TNumber>({ type: "number", description, minimum: 0, maximum: 1, ...fallback(value) });

export const flag = (description: string, value?: boolean) =>
  typed<TypeBox.TBoolean>({ type: "boolean", description, ...fallback(value) });

/** One of a few words or numbers. */
export const choice = <const T extends string | number>(
  description: string,
  values: readonly [T, ...T[]],
  value?: NoInfer<T>,
) =>
  typed<TypeBox.TUnsafe<T>>({
    type: typeof values[0] === "number" ? "integer" : "string",
    description,
    enum: values,
    ...fallback(value),
  });

/** A list; empty when not written, unless it needs an entry. */
export const list = <T extends TypeBox.TSchema>(
  description: string,
  items: T,
  more: { minItems?: number } = {},
) =>
  typed<TypeBox.TArray<T>>({
    type: "array",
    description,
    items: items as unknown as Shape,
    ...(more.minItems ? more : { default: [] }),
  });

/** Keys chosen by the operator, such as model names. */
export const table = <T extends TypeBox.TSchema>(description: string, values: T) =>
  typed<TypeBox.TUnsafe<Record<string, TypeBox.Static<T>>>>({
    type: "object",
    description,
    default: {},
    additionalProperties: values as unknown as Shape,
  });

/** An object that exists only where it is written. */
export const item = <T extends TypeBox.TProperties>(description: string, properties: T) =>
  typed<TypeBox.TObject<T>>({
    type: "object",
    description,
    additionalProperties: false,
    properties: shapes(properties),
    required: Object.entries(shapes(properties))
      .filter(([, shape]) => !(isOptional in shape) && !("default" in shape))
      .map(([key]) => key),
  });

/** An object that is there, with its defaults, even when the file does not mention it. */
export const section = <T extends TypeBox.TProperties>(description: string, properties: T) =>
  typed<TypeBox.TObject<T>>({ ...(item(description, properties) as unknown as Shape), default: {} });

/** A value that nobody is to see, or a table of such values. */
export const secret = <T extends TypeBox.TSchema>(schema: T) => ({ ...schema, writeOnly: true }) as T;

/** A key that may be missing and has no default. */
export const optional = <T extends TypeBox.TSchema>(schema: T) =>
  ({ ...schema, [isOptional]: true }) as unknown as TypeBox.TOptional<T>;
