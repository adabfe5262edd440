import { version as ours } from "../version.ts";
import type { Command } from "./command.ts";
import { print, printJson } from "./output.ts";

/** The router's version, and with `--json` Node's as well. */
export const version: Command = {
  usage: "version [--json]",
  about: "",
  options: { json: { type: "boolean", description: "as JSON: version, node" } },
  positionals: [0, 0],
  async run({ flag }, { output }) {
    if (flag("json")) await printJson(output, { version: ours, node: process.version });
    else await print(output, ours);
    return 0;
  },
};
