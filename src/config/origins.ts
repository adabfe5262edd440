import type { Path, Report } from "./problem.ts";
import { Expanded } from "./variables.ts";

// Where the values of a checked configuration are from, by the object that holds them: the values themselves do not say.

const origins = new WeakMap<object, Map<string | number, Expanded | "default">>();

/** Keeps that this value came from a variable, or that the file does not give it. */
export function keepOrigin(holder: object, key: string | number, origin: Expanded | "default"): void {
  const known = origins.get(holder) ?? new Map<string | number, Expanded | "default">();
  origins.set(holder, known.set(key, origin));
}

/** Whether the file leaves this key to its default. */
export const isDefault = (holder: object, key: string) => origins.get(holder)?.get(key) === "default";

/** The text from the environment that this value was; undefined for any other value. */
export function expandedAt(holder: object, key: string | number): Expanded | undefined {
  const origin = origins.get(holder)?.get(key);
  return origin instanceof Expanded ? origin : undefined;
}

/** What a message says instead of a value that came from a variable: it may be a secret. */
export const held = ({ names }: Expanded) =>
  `the value of ${names.map((name) => `\${${name}}`).join(" and ")}`;

/** A report that quotes nothing that came from a variable, for checks that see only values. */
export function withoutVariables(config: object, { problem, warn }: Report): Report {
  const all = [...expandedIn(config)];
  const quiet =
    (tell: Report["problem"]): Report["problem"] =>
    (path, message, at) =>
      tell(path, all.length === 0 ? message : hide(message, all, expandedBelow(config, path)), at);
  return { problem: quiet(problem), warn: quiet(warn) };
}

// What checks show of a value: in quotes, or bare as the last word, such as `not 70000`.
const quoted = /"(?:[^"\\]|\\.)+"|(?<=\bnot (?:of )?)[^\s"]+$/g;

/** Of the value that is complained about every part is hidden, such as an address without its port; of others the whole. */
function hide(message: string, all: readonly Expanded[], own: Expanded | undefined): string {
  return message.replace(quoted, (part) => {
    const word = unquoted(part).toLowerCase();
    const text = own?.text.toLowerCase() ?? "";
    if (own && text !== "" && (text.includes(word) || word.includes(text))) return held(own);
    const other = all.find((expanded) => expanded.text.toLowerCase() === word);
    return other ? held(other) : part;
  });
}

function unquoted(part: string): string {
  try {
    return String(JSON.parse(part));
  } catch {
    return part.replace(/^"|"$/g, "");
  }
}

function* expandedIn(value: unknown): Generator<Expanded> {
  if (typeof value !== "object" || value === null) return;
  for (const origin of origins.get(value)?.values() ?? []) if (origin instanceof Expanded) yield origin;
  for (const inner of Object.values(value)) yield* expandedIn(inner);
}

/** Of the value at this place; undefined where it is not from a variable. */
function expandedBelow(config: object, path: Path): Expanded | undefined {
  let holder: unknown = config;
  for (const [depth, part] of path.entries()) {
    if (typeof holder !== "object" || holder === null) return undefined;
    if (depth === path.length - 1) return expandedAt(holder, part);
    holder = (holder as Record<string | number, unknown>)[part];
  }
  return undefined;
}
