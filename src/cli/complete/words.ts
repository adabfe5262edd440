import type { Command } from "../command.ts";
import type { Entry } from "../commands.ts";

/** An option as a shell completes it. */
export interface CompletedOption {
  /** Without the dashes. */
  readonly name: string;
  readonly description: string;
  /** What its value is; undefined: it has none. */
  readonly value: "files" | "folders" | "anything" | readonly string[] | undefined;
  readonly many: boolean;
}

/** A command as a shell completes it. */
export interface Completed {
  /** One word, or two; the empty one is what may stand where a command could. */
  readonly name: string;
  readonly summary: string;
  readonly takes: "files" | readonly string[] | undefined;
  readonly options: readonly CompletedOption[];
}

const help: CompletedOption = { name: "help", description: "this text", value: undefined, many: false };

/** Loads every command for its options. `help` is one more, and takes the names of the others. */
export async function completed(commands: Readonly<Record<string, Entry>>): Promise<Completed[]> {
  const all = await Promise.all(
    Object.entries(commands).map(async ([name, { summary, takes, load }]) => ({
      name,
      summary,
      takes,
      options: [...optionsOf(await load()), help],
    })),
  );
  const names = [...new Set(Object.keys(commands).map((name) => name.split(" ")[0]!))];
  return [...all, { name: "help", summary: "what a command does", takes: names, options: [] }];
}

function optionsOf({ options }: Command): CompletedOption[] {
  return Object.entries(options).map(([name, { type, value, choices, description, many }]) => ({
    name,
    description,
    value: type === "boolean" ? undefined : (choices ?? kinds[value ?? ""] ?? "anything"),
    many: many ?? false,
  }));
}

const kinds: Readonly<Record<string, "files" | "folders">> = { FILE: "files", DIR: "folders" };

/** What may follow the program's name: first words, each with its summary. */
export function firstWords(all: readonly Completed[]): readonly (readonly [word: string, summary: string])[] {
  const words = new Map<string, string>();
  for (const { name, summary } of all) {
    const [first, second] = name.split(" ");
    const isGroup = second !== undefined;
    words.set(first!, isGroup ? `${first} commands` : summary);
  }
  return [...words];
}

/** First words that need a second one, with those. */
export function groups(
  all: readonly Completed[],
): ReadonlyMap<string, readonly (readonly [word: string, summary: string])[]> {
  const found = new Map<string, (readonly [string, string])[]>();
  for (const { name, summary } of all) {
    const [first, second] = name.split(" ");
    if (second !== undefined) found.set(first!, [...(found.get(first!) ?? []), [second, summary]]);
  }
  return found;
}
