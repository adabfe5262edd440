import { check } from "../config/check.ts";
import type { Shape } from "../config/kinds.ts";
import { type Loaded, loadConfig, parseConfig } from "../config/load.ts";
import { ConfigError, type Path, type Problem, type Report } from "../config/problem.ts";
import { checkReferences } from "../config/references.ts";
import { type Config, schema } from "../config/schema.ts";
import { type Unused, unused, unusedAt } from "../config/unused.ts";
import type { Env } from "../config/variables.ts";
import { readYaml } from "../config/yaml.ts";
import { modelProblems, spanFileWarnings } from "./named-files.ts";

/** A warning, and of a key without effect what it is taken to do. */
export type Warning = Problem & Partial<Unused>;

export interface Findings {
  /** Undefined where there are problems. */
  readonly loaded: Loaded | undefined;
  readonly problems: readonly Problem[];
  /** Each key for itself, and also of a file with problems. */
  readonly warnings: readonly Warning[];
}

/**
 * Everything there is to say of a file. What the start would refuse is a problem, and nothing is thrown for it.
 * @param given its text, where it is not to be read: then `file` is what stands for it in messages.
 */
export async function findingsIn(file: string, given?: string, env: Env = process.env): Promise<Findings> {
  try {
    const loaded =
      given === undefined
        ? loadConfig(file, env)
        : { ...parseConfig(given, { file, env }), source: { file, text: given } };
    const problems = await modelProblems(loaded, env);
    const warnings = [...warningsIn(loaded.source.text, env), ...(await spanFileWarnings(loaded, env))];
    return {
      loaded: problems.length > 0 ? undefined : loaded,
      problems: inFileOrder(problems),
      warnings: inFileOrder(warnings),
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { readFileSync } = await import("node:fs");
    // Line 0 alone is of no place: the file could not be read.
    const isRead = error.problems.some(({ line, path }) => line > 0 || path !== "");
    const warnings = isRead ? warningsIn(given ?? readFileSync(file, "utf8"), env) : [];
    return { loaded: undefined, problems: error.problems, warnings };
  }
}

/** As at a start, but one for each key: there those with the same answer share a line. */
export function warningsIn(text: string, env: Env): Warning[] {
  const source = readYaml(text, env);
  if (source.values === undefined) return source.warnings;
  const found: Warning[] = [...source.warnings];
  const report: Report = {
    problem() {},
    warn(path, message, at) {
      source.report.warn(path, message, at);
      const told = unusedAt(patternOf(path));
      found.push({ ...source.warnings.at(-1)!, ...(told?.here === message && told) });
    },
  };
  const config = check(source.values ?? {}, schema as unknown as Shape, { report, unused });
  checkReferences(config as Config, report);
  return inFileOrder(found);
}

const inFileOrder = <T extends Problem>(found: readonly T[]): T[] =>
  found.toSorted((a, b) => a.line - b.line || a.column - b.column);

/** The path with `*` in the place of what operators choose themselves. */
function patternOf(path: Path): string {
  let shape: Shape | undefined = schema as unknown as Shape;
  const parts: string[] = [];
  for (const part of path) {
    const below: Shape | undefined = shape?.items ?? (shape?.additionalProperties || undefined);
    parts.push(below ? "*" : String(part));
    shape = below ?? shape?.properties?.[part];
  }
  return parts.join(".");
}
