import { Document, isScalar } from "yaml";
import type { Node } from "./tree.ts";

const step = "  ";

/** As YAML that loads again; with `origins` each value has its origin behind it as a comment. */
export function yamlOf(node: Node | undefined, origins: boolean): string {
  if (node === undefined) return "{}\n";
  return `${lines(node, origins).join("\n")}\n`;
}

function lines(node: Node, origins: boolean): string[] {
  if (node.kind === "value") return text(node.value, origins ? node.origin : undefined).split("\n");
  if (node.kind === "list")
    return node.items.flatMap((item) => {
      const [first = "", ...rest] = lines(item, origins);
      return [`- ${first}`, ...rest.map((line) => indented(line))];
    });
  return [...node.entries].flatMap(([key, inner]) => {
    const name = text(key, undefined);
    const [first = "", ...rest] = lines(inner, origins);
    if (inner.kind === "value") return [`${name}: ${first}`, ...rest.map(indented)];
    return [`${name}:`, ...[first, ...rest].map(indented)];
  });
}

const indented = (line: string): string => (line === "" ? "" : `${step}${line}`);

/** One value, in quotes where it needs them; a text of several lines begins with the sign of its block. */
function text(value: unknown, comment: string | undefined): string {
  const behind = comment === undefined ? "" : ` # ${comment}`;
  // The library would give an empty list or table three lines.
  if (typeof value === "object" && value !== null) return `${Array.isArray(value) ? "[]" : "{}"}${behind}`;
  // A block that begins with space or ends with empty lines would change where it is put.
  if (typeof value === "string" && /^\s.*\n|\n\s*\n$/s.test(value))
    return `${JSON.stringify(value)}${behind}`;
  const doc = new Document(value);
  if (isScalar(doc.contents) && comment !== undefined) doc.contents.comment = ` ${comment}`;
  return doc.toString({ lineWidth: 0 }).trimEnd();
}
