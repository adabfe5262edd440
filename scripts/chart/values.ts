import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from "yaml";

/** One entry of values.yaml, in the order of the file. */
export interface Value {
  /** Keys from the root, joined by dots. */
  readonly path: string;
  /** What stands behind `# --`. */
  readonly meaning: string;
  /** Narrows what the value may be: what stands behind `# @schema`. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly default: unknown;
}

/**
 * The values of a chart. Everything below a value that has a meaning is part of it; a key without one is a section, and
 * must lead to values.
 */
export function readValues(yaml: string): Value[] {
  const doc = parseDocument(yaml);
  if (doc.errors[0]) throw doc.errors[0];
  if (!isMap(doc.contents)) throw new Error("values.yaml must be a mapping");
  return below(doc.contents, [], doc.toJS());
}

function below(section: YAMLMap, above: readonly string[], values: Record<string, unknown>): Value[] {
  return section.items.flatMap((pair, i) => {
    const key = keyOf(pair);
    const path = [...above, key].join(".");
    // The parser gives the comment above the first key of a section to the section.
    const comment =
      (isScalar(pair.key) && pair.key.commentBefore) || (i === 0 && section.commentBefore) || "";
    const meaning = lineOf(comment, "--", path);
    if (meaning !== undefined)
      return [{ path, meaning, schema: schemaOf(comment, path), default: values[key] }];
    if (!isMap(pair.value) || pair.value.items.length === 0)
      throw new Error(`values.yaml: ${path} has no meaning: write "# -- ..." above it`);
    return below(pair.value, [...above, key], values[key] as Record<string, unknown>);
  });
}

function keyOf({ key }: Pair): string {
  return String(isScalar(key) ? key.value : key);
}

function lineOf(comment: string, mark: string, path: string): string | undefined {
  const lines = comment.split("\n").filter((line) => line.trim().startsWith(`${mark} `));
  if (lines.length > 1) throw new Error(`values.yaml: ${path} has more than one "# ${mark}"`);
  return lines[0]?.trim().slice(mark.length + 1);
}

function schemaOf(comment: string, path: string): Record<string, unknown> {
  const text = lineOf(comment, "@schema", path);
  try {
    return JSON.parse(text ?? "{}") as Record<string, unknown>;
  } catch (error) {
    throw new Error(`values.yaml: the "# @schema" of ${path} is no JSON: ${(error as Error).message}`);
  }
}
