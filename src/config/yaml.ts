import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from "yaml";
import { type Path, type Problem, pathText, type Report } from "./problem.ts";
import { type Env, expand } from "./variables.ts";

/** The file as values, with what YAML itself objected to, and a report that knows where every value stands. */
export interface Source {
  readonly values: unknown;
  readonly problems: Problem[];
  readonly warnings: Problem[];
  readonly report: Report;
}

export function readYaml(text: string, env: Env): Source {
  const lines = new LineCounter();
  // Merge keys (`<<`) because v0.1's parser knows them; string keys because a model may be named `4`.
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    stringKeys: true,
    prettyErrors: false,
  });
  const at = (offset: number, path: string, message: string): Problem => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col, path, message };
  };
  const problems = document.errors.map(({ code, message, pos }) =>
    at(pos[0], "", code === "DUPLICATE_KEY" ? `duplicate key${keyAt(text, pos[0])}` : yaml(message)),
  );
  const warnings = document.warnings.map((warning) => at(warning.pos[0], "", yaml(warning.message)));

  visit(document, {
    Scalar(key, node, ancestors) {
      if (key === "key" || typeof node.value !== "string") return;
      node.value = expand(node.value, env, (message) =>
        problems.push(at(node.range?.[0] ?? 0, pathText(pathOf(ancestors, key)), message)),
      );
    },
  });

  const tell = (found: Problem[]) => (path: Path, message: string, place?: "key" | "value") => {
    found.push(at(offsetOf(document, path, place ?? "value"), pathText(path), message));
  };
  return {
    values: valuesOf(document, problems),
    problems,
    warnings,
    report: { problem: tell(problems), warn: tell(warnings) },
  };
}

/** Behind a colon YAML quotes the file, which may hold a secret: `Unresolved alias: abc` for a key that begins with `*`. */
const yaml = (message: string) =>
  `YAML: ${message.replace(/^(Unresolved alias|Block scalar header|Unresolved tag)([^:]*):.*$/s, "$1$2")}`;

/** With a space in it, it is more likely a header and its value than a key. */
function keyAt(text: string, offset: number): string {
  const key = /^("[^"]*"|'[^']*'|[^\s:]*)/.exec(text.slice(offset))?.[0] ?? "";
  return /\s/.test(key) ? "" : ` ${key}`;
}

function valuesOf(document: Document.Parsed, problems: Problem[]): unknown {
  // After a syntax error the rest of the tree is a guess; after a duplicate key it is sound.
  if (document.errors.some(({ code }) => code !== "DUPLICATE_KEY")) return undefined;
  try {
    return document.toJS();
  } catch (error) {
    // Aliases that multiply into an enormous document.
    problems.push({ line: 1, column: 1, path: "", message: yaml((error as Error).message) });
    return undefined;
  }
}

function pathOf(ancestors: readonly unknown[], last: unknown): (string | number)[] {
  const path: (string | number)[] = [];
  ancestors.forEach((ancestor, depth) => {
    if (isPair(ancestor)) path.push(isScalar(ancestor.key) ? String(ancestor.key.value) : "?");
    else if (isSeq(ancestor)) {
      const below = ancestors[depth + 1];
      path.push(below === undefined ? Number(last) : ancestor.items.indexOf(below));
    }
  });
  return path;
}

/** Offset of the deepest part of the path that is in the file: of a missing key, its parent. */
function offsetOf(document: Document.Parsed, path: Path, place: "key" | "value"): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const [depth, part] of path.entries()) {
    const found = step(document, node, part);
    if (found === undefined) return offset;
    const isKey = place === "key" || depth < path.length - 1 || !isScalar(found.value);
    const shown = isKey ? (found.key ?? found.value) : found.value;
    offset = (shown as Node | null)?.range?.[0] ?? offset;
    node = found.value;
  }
  return offset;
}

function step(
  document: Document.Parsed,
  parent: unknown,
  part: string | number,
): { key?: unknown; value: unknown } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq(node))
    return typeof part === "number" && part in node.items ? { value: node.items[part] } : undefined;
  if (!isMap(node)) return undefined;
  const pair = node.items.findLast(({ key }) => isScalar(key) && String(key.value) === part);
  if (pair) return pair;
  for (const { key, value } of node.items) {
    if (!isScalar(key) || key.value !== "<<") continue;
    const merged = isSeq(value) ? value.items : [value];
    for (const from of merged) {
      const found = step(document, from, part);
      if (found) return found;
    }
  }
  return undefined;
}
