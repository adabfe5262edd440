import type { Command } from "./command.ts";

/** A command of the table: what it does in a few words, and the module that holds it. */
export interface Entry {
  readonly summary: string;
  /** What its arguments are, for shell completion: names of files, or one of these words. */
  readonly takes?: "files" | readonly string[];
  /** Loads nothing of the other commands: `serve` must be ready at once. */
  readonly load: () => Promise<Command>;
}

export const shells = ["bash", "zsh", "fish"] as const;

/** Every command by the words that name it, in the order of the help. */
export const commands: Readonly<Record<string, Entry>> = {
  serve: {
    summary: "run the processor (also without a command)",
    load: async () => (await import("./serve.ts")).serve,
  },
  check: {
    summary: "say what is wrong with a configuration, and what of it has no effect",
    takes: "files",
    load: async () => (await import("./check.ts")).check,
  },
  explain: {
    summary: "what each stage would decide for a prompt, and why",
    load: async () => (await import("./explain.ts")).explain,
  },
  classify: {
    summary: "what the models say of a text, or of many",
    load: async () => (await import("./classify.ts")).classify,
  },
  "config show": {
    summary: "the configuration, with defaults and where each value is from",
    load: async () => (await import("./config-show.ts")).configShow,
  },
  "config diff": {
    summary: "what differs between two configurations, in keys or in routes of prompts",
    takes: "files",
    load: async () => (await import("./config-diff.ts")).configDiff,
  },
  "envoy render": {
    summary: "Envoy's configuration for this router's",
    load: async () => (await import("./envoy-render.ts")).envoyRender,
  },
  health: {
    summary: "whether a running processor serves",
    load: async () => (await import("./health.ts")).health,
  },
  completion: {
    summary: "a script that completes commands and options in a shell",
    takes: shells,
    load: async () => (await import("./completion.ts")).completion,
  },
  version: {
    summary: "the router's version",
    load: async () => (await import("./version.ts")).version,
  },
};

/** Its name, and what stands behind it on the command line; undefined: no command is named so. */
export function commandIn(
  args: readonly string[],
): { readonly name: string; readonly rest: readonly string[] } | undefined {
  for (const count of [2, 1]) {
    const name = args.slice(0, count).join(" ");
    if (args.length >= count && Object.hasOwn(commands, name)) return { name, rest: args.slice(count) };
  }
  return undefined;
}

/** The commands that begin with this word and have a second one, such as `config show`. */
export const groupOf = (word: string): readonly string[] =>
  Object.keys(commands).filter((name) => name.startsWith(`${word} `));
