import type { Command } from "./command.ts";
import { UsageError } from "./command.ts";
import { commands, shells } from "./commands.ts";
import { bash } from "./complete/bash.ts";
import { fish } from "./complete/fish.ts";
import { type Completed, completed } from "./complete/words.ts";
import { zsh } from "./complete/zsh.ts";
import { print } from "./output.ts";

const scripts: Readonly<Record<(typeof shells)[number], (all: readonly Completed[]) => string>> = {
  bash,
  zsh,
  fish,
};

/** Shell completion, made from the table of commands and their options. */
export const completion: Command = {
  usage: `completion ${shells.join("|")}`,
  about: `Completes commands, options, their values and file names, where semantic-router is on the PATH:
  bash  source <(semantic-router completion bash)      in ~/.bashrc
  zsh   source <(semantic-router completion zsh)       in ~/.zshrc, after compinit
  fish  semantic-router completion fish | source       in ~/.config/fish/config.fish`,
  options: {},
  positionals: [1, 1],
  async run({ positionals: [asked] }, { output }) {
    const shell = shells.find((one) => one === asked);
    if (!shell) throw new UsageError(`the shell must be one of ${shells.join(", ")}, not "${asked}"`);
    await print(output, scripts[shell](await completed(commands)));
    return 0;
  },
};
