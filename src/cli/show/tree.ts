import type { Shape } from "../../config/kinds.ts";
import { expandedAt, isDefault } from "../../config/origins.ts";
import type { Path } from "../../config/problem.ts";
import { pathText } from "../../config/problem.ts";

/** A configuration as it is shown: secrets are stars, and each value knows where it is from. */
export type Node =
  | { readonly kind: "value"; readonly path: string; value: unknown; origin: string }
  | { readonly kind: "table"; readonly path: string; readonly entries: Map<string, Node> }
  | { readonly kind: "list"; readonly path: string; readonly items: readonly Node[] };

/** What stands for a secret. */
export const stars = "***";

export interface TreeOptions {
  /** Leaves out what the file does not give. */
  readonly ownOnly: boolean;
  /** `config.yaml:12`, of a value that is in the file. */
  readonly place: (path: Path) => string;
}

/** Undefined where nothing is left to show. */
export function treeOf(config: object, shape: Shape, options: TreeOptions): Node | undefined {
  return visit(config, shape, [], undefined, options);
}

function visit(
  value: unknown,
  shape: Shape,
  path: Path,
  /** Where it is known from the holder. */
  origin: string | undefined,
  options: TreeOptions,
): Node | undefined {
  const at = pathText(path);
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.length > 0) {
    const items = value.flatMap(
      (item, i) => visit(item, shape.items!, [...path, i], below(origin, value, i), options) ?? [],
    );
    return items.length > 0 ? { kind: "list", path: at, items } : undefined;
  }
  if (shape.type === "object" && Object.keys(value as object).length > 0) {
    const entries = new Map<string, Node>();
    for (const [key, inner] of Object.entries(value as object)) {
      const innerShape = shape.properties?.[key] ?? (shape.additionalProperties || undefined);
      if (innerShape === undefined) continue;
      // Of a section that is a default, every key is; the keys say so themselves.
      const known = below(shape.properties ? undefined : origin, value as object, key);
      const node = visit(inner, innerShape, [...path, key], known, options);
      if (node) entries.set(key, node);
    }
    return entries.size > 0 ? { kind: "table", path: at, entries } : undefined;
  }
  if (origin === "default" && options.ownOnly) return undefined;
  const isSecret = shape.writeOnly && shape.type !== "object";
  return { kind: "value", path: at, value: isSecret ? stars : value, origin: said(origin, path, options) };
}

function below(outer: string | undefined, holder: object, key: string | number): string | undefined {
  if (outer === "default" || (typeof key === "string" && isDefault(holder, key))) return "default";
  const expanded = expandedAt(holder, key);
  return expanded && `variable ${expanded.names.join(", ")}`;
}

function said(origin: string | undefined, path: Path, { place }: TreeOptions): string {
  if (origin === undefined) return place(path);
  return origin === "default" ? origin : `${origin} at ${place(path)}`;
}

/** All values, in the order in which they are shown. */
export function valuesOf(node: Node | undefined): Extract<Node, { kind: "value" }>[] {
  if (node === undefined) return [];
  if (node.kind === "value") return [node];
  return [...(node.kind === "list" ? node.items : node.entries.values())].flatMap(valuesOf);
}

/** As plain values, for JSON. */
export function plain(node: Node | undefined): unknown {
  if (node === undefined) return {};
  if (node.kind === "value") return node.value;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, inner]) => [key, plain(inner)]));
}
