import type { Command } from "./command.ts";
import { commands } from "./commands.ts";

const us = "semantic-router";

/** All commands, and the options of the one that runs when none is named. */
export function overview(version: string, serve: Command): string {
  const listed = Object.entries(commands).map(([name, { summary }]) => [name, summary] as const);
  return [
    `${us} ${version}: an Envoy external processor that routes LLM requests by their meaning`,
    "",
    `${us} [OPTION...]           the same as ${us} serve`,
    `${us} COMMAND [OPTION...]`,
    "",
    "Commands:",
    ...columns([...listed, ["help COMMAND", "its arguments and options; also COMMAND --help"]]),
    "",
    "Options without a command:",
    ...columns([...optionRows(serve), ["--version", "the router's version"], helpRow]),
    "",
    exits,
  ].join("\n");
}

/** What `COMMAND --help` prints. */
export function helpOf(name: string, command: Command): string {
  return [
    `${us} ${command.usage}`,
    `  ${commands[name]!.summary}`,
    "",
    ...columns([...optionRows(command), helpRow]),
    ...(command.about === "" ? [] : ["", command.about]),
  ].join("\n");
}

/** What `help --help` prints. */
export const helpOfHelp = [
  `${us} help [COMMAND]`,
  "  all commands, or the arguments and options of one",
  "",
  `The same as ${us} --help and ${us} COMMAND --help. Of a word that begins two or more, config for one,
it lists these.`,
].join("\n");

/** What `config --help` prints: the commands that begin with this word. */
export const helpOfGroup = (names: readonly string[]): string =>
  columns(names.map((name) => [`${us} ${name}`, commands[name]!.summary] as const)).join("\n");

const exits = "Exit status: 0 done, 1 the answer is no or it failed, 2 the command line cannot be understood";
const helpRow = ["--help", "this text"] as const;

function optionRows({ options }: Command): [string, string][] {
  return Object.entries(options).map(([name, { short, value, choices, description }]) => [
    [
      short ? `-${short}, ` : "",
      `--${name}`,
      value ? ` ${value}` : choices ? ` ${choices.join("|")}` : "",
    ].join(""),
    description,
  ]);
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
