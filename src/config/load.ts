import { readFileSync } from "node:fs";
import { check, isObject, isWritten } from "./check.ts";
import { isGiven, type WrittenKeys, writtenKeys } from "./keys.ts";
import type { Shape } from "./kinds.ts";
import { ConfigError, type Problem } from "./problem.ts";
import { checkReferences } from "./references.ts";
import { type Config, schema } from "./schema.ts";
import { logLevels } from "./slices/service.ts";
import { unused } from "./unused.ts";
import type { Env } from "./variables.ts";
import { readYaml, type Source } from "./yaml.ts";

export interface Parsed {
  readonly config: Config;
  /** What the file says that has no effect, or an effect its author may not expect. */
  readonly warnings: readonly Problem[];
  /** Whether the file gives this key a value, such as `observability.tracing.enabled`; else its default holds. */
  readonly written: (path: string) => boolean;
  readonly keys: WrittenKeys;
}

export interface Loaded extends Parsed {
  readonly source: { readonly file: string; readonly text: string };
}

type Writable<T> = T extends object ? { -readonly [K in keyof T]: Writable<T[K]> } : T;

/** Reads, checks and completes the configuration. Throws a ConfigError that carries everything wrong with it. */
export function loadConfig(file: string, env: Env = process.env): Loaded {
  const text = readText(file);
  return { ...parseConfig(text, { file, env }), source: { file, text } };
}

export function parseConfig(
  text: string,
  { file = "config.yaml", env = {} }: { file?: string; env?: Env } = {},
): Parsed {
  const source = readYaml(text, env);
  const values = source.values ?? {};
  const config = check(values, schema as unknown as Shape, {
    report: source.report,
    unused,
  }) as Writable<Config>;
  if (isObject(values)) complete(config, values, env, source);
  checkReferences(config, source.report);
  if (source.problems.length > 0) throw new ConfigError(inFileOrder(source.problems), file);
  const keys = writtenKeys(values);
  return {
    config: freeze(config),
    warnings: oncePerMessage(inFileOrder(source.warnings)),
    written: (path) => isGiven(keys, path),
    keys,
  };
}

/** The file a process was told to use: `--config FILE`, then CONFIG_PATH, then CONFIG_FILE. */
export function configPath(argv: readonly string[], env: Env): string | undefined {
  for (const [i, arg] of argv.entries()) {
    // One dash as well: v0.1's manifests start it with `-config`.
    const [, value] = /^--?config(?:=(.*))?$/s.exec(arg) ?? [undefined, undefined];
    if (value !== undefined) return value;
    if (arg === "--config" || arg === "-config") return argv[i + 1];
  }
  return env.CONFIG_PATH || env.CONFIG_FILE || undefined;
}

function readText(file: string): string {
  try {
    // A byte order mark stays for the parser.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === "ENOENT"
        ? "no such file; set CONFIG_PATH or --config"
        : code === "EISDIR"
          ? "it is a directory"
          : code === "EACCES"
            ? "permission denied"
            : code === "ERR_ENCODING_INVALID_ENCODED_DATA"
              ? "it is not UTF-8: save it as such"
              : message;
    throw new ConfigError([{ line: 0, column: 0, path: "", message: `cannot read ${file}: ${why}` }], file);
  }
}

/** What a value is when it is not written but follows from another one. */
function complete(
  config: Writable<Config>,
  written: Record<string, unknown>,
  env: Env,
  { problems }: Source,
): void {
  const cache = isObject(written.semantic_cache) ? written.semantic_cache : {};
  const { threshold } = config.bert_model;
  if (threshold !== undefined && !isWritten(cache.similarity_threshold))
    config.semantic_cache.similarity_threshold = threshold;

  const level = env.SR_LOG_LEVEL?.toLowerCase();
  if (!level) return;
  const known = logLevels.find((name) => name === level);
  if (known) config.logging.level = known;
  else {
    const message = `must be one of ${logLevels.join(", ")}, not "${level}"`;
    problems.push({ line: 0, column: 0, path: "SR_LOG_LEVEL", message });
  }
}

/** One warning where many keys get the same answer: the first key's place, the others by name. */
function oncePerMessage(warnings: readonly Problem[]): Problem[] {
  return warnings.flatMap((warning) => {
    const same = warnings.filter(({ message }) => message === warning.message);
    if (same[0] !== warning) return [];
    const also = same.slice(1).map(({ path, line }) => `${path} (line ${line})`);
    return also.length === 0
      ? [warning]
      : [{ ...warning, message: `${warning.message}; also ${also.join(", ")}` }];
  });
}

const inFileOrder = (problems: readonly Problem[]) =>
  problems.toSorted((a, b) => a.line - b.line || a.column - b.column);

export function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}
