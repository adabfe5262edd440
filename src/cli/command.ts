import type { Writable } from "node:stream";

/** Where a command reads and writes. */
export interface Streams {
  readonly input: AsyncIterable<Uint8Array>;
  readonly output: Writable;
  readonly errors: Writable;
}

/** One `--option`. Help, parsing and shell completion all read this. */
export interface Option {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** What stands for the value in the help; FILE and DIR complete to file names. Strings only. */
  readonly value?: string;
  /** The values it may have; anything else is a usage error. */
  readonly choices?: readonly string[];
  /** May be given more than once; any other option may not. Strings only. */
  readonly many?: true;
  readonly description: string;
}

/** What was given on the command line, after the command's own words. */
export interface Given {
  readonly positionals: readonly string[];
  /** An option that was not given is undefined. */
  readonly text: (name: string) => string | undefined;
  readonly flag: (name: string) => boolean;
  /** All values of an option with `many`, in order; none where it was not given. */
  readonly all: (name: string) => readonly string[];
}

/** One subcommand of `semantic-router`. */
export interface Command {
  /** As it is typed, without the program: `config diff OLD NEW --prompts FILE`. */
  readonly usage: string;
  /** Paragraphs and examples below the options in `--help`. */
  readonly about: string;
  /** `--help` is understood everywhere and not listed. */
  readonly options: Readonly<Record<string, Option>>;
  /** Its positional is a text, which may begin with a dash. */
  readonly takesText?: true;
  /** How many positionals it takes. */
  readonly positionals: readonly [least: number, most: number];
  /** Exit status: 0 done, 1 the answer is no or it failed, 2 usage (also by throwing a `UsageError`). */
  run(given: Given, streams: Streams): Promise<number>;
}

/** The command line cannot be understood: one line, exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
