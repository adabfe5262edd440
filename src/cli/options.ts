import { parseArgs } from "node:util";

/** What `classify` is asked to do. */
export interface Options {
  /** The one text to classify, or undefined: JSON lines on standard input. */
  readonly text: string | undefined;
  readonly timings: boolean;
  /** Directory of the model; undefined: the one of this package. */
  readonly model: string | undefined;
  /** Threads that encode; undefined: one for a text, one per core for lines. */
  readonly workers: number | undefined;
  /** Threads within each of these. Default 1. */
  readonly threads: number;
}

/** The command line cannot be understood. The message says what to write instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const help = `semantic-router classify TEXT      what the models say of one text
semantic-router classify --jsonl   the same of many: one JSON object per line in, one per line out, in the same order

  A line is {"text": "..."} or a pair {"a": "...", "b": "..."}; other keys and those with null are ignored.

  --timings        adds timings_ms: milliseconds per part
  --model DIR      model directory; else the one of this package
  --workers N      threads that encode (default: 1 for a text, one per core for lines)
  --threads N      threads within each of these (default: 1)
  --help

  Exit status: 0 all classified, 1 not all (a line that cannot be gets {"error", "line"} in its place), 2 usage`;

const mostThreads = 256;

/** Reads the arguments after `classify`; "help" where help is asked for. Throws `UsageError`. */
export function readOptions(args: readonly string[]): Options | "help" {
  const { values, positionals } = parsed(args);
  if (values.help) return "help";
  if (values.jsonl && positionals.length > 0)
    throw new UsageError("give a text or --jsonl, not both: --jsonl reads standard input");
  if (positionals.length > 1)
    throw new UsageError(`one text, please, and ${positionals.length} came: put it in quotes`);
  if (!values.jsonl && positionals.length === 0)
    throw new UsageError("nothing to classify: give a text in quotes, or --jsonl for standard input");
  if (values.model === "") throw new UsageError("--model needs a directory");
  return {
    text: positionals[0],
    timings: values.timings ?? false,
    model: values.model,
    workers: count("--workers", values.workers),
    threads: count("--threads", values.threads) ?? 1,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        jsonl: { type: "boolean" },
        timings: { type: "boolean" },
        model: { type: "string" },
        workers: { type: "string" },
        threads: { type: "string" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    const { message } = error as Error;
    const [, option = ""] = /^Option '(--(?:workers|threads))' argument is ambiguous/.exec(message) ?? [];
    if (option) count(option, args[args.indexOf(option) + 1]);
    throw new UsageError(message.replaceAll(/\s*\n\s*/g, " "));
  }
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > mostThreads)
    throw new UsageError(`${option} ${text}: give a whole number from 1 to ${mostThreads}`);
  return value;
}
