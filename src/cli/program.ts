import { type Command, type Streams, UsageError } from "./command.ts";
import { commandIn, commands, groupOf } from "./commands.ts";
import { parse } from "./parse.ts";

const us = "semantic-router";

/**
 * Runs what the command line asks for. Without a command, or with options only, that is `serve`.
 * Resolves to the exit status: 0 done, 1 the answer is no or it failed, 2 usage.
 */
export async function program(args: readonly string[], streams: Streams): Promise<number> {
  const [first] = args;
  if (first === "help") return told(`${us} help`, streams, () => help(args.slice(1), streams));
  if (isHelp(first)) return told(us, streams, () => help([], streams));
  if (first === "--version") return runNamed("version", args.slice(1), streams, us);
  if (first === undefined || first.startsWith("-")) {
    const meant = args.find((arg) => arg.startsWith("--") && Object.hasOwn(commands, arg.slice(2)))?.slice(2);
    if (meant) return misread(us, `there is no option --${meant}, but a command: ${us} ${meant}`, streams);
    return runNamed("serve", args, streams, us);
  }
  const found = commandIn(args);
  if (found) return runNamed(found.name, found.rest, streams, `${us} ${found.name}`);
  const group = groupOf(first);
  if (group.length === 0) return unknown(first, streams);
  if (isHelp(args[1])) return told(`${us} ${first}`, streams, () => help([first], streams));
  const known = group.map((name) => name.slice(first.length + 1));
  const { hint } = await import("../config/nearest.ts");
  const guess = args[1] === undefined ? "" : hint(args[1], known);
  const wrong = args[1] === undefined ? "needs a second word" : `unknown command "${first} ${args[1]}"`;
  return misread(`${us} ${first}`, `${wrong}${guess || `; known: ${known.join(", ")}`}`, streams);
}

async function runNamed(
  name: string,
  args: readonly string[],
  streams: Streams,
  /** How the user called it, for messages. */
  called: string,
): Promise<number> {
  return told(called, streams, async () => {
    const command = await loaded(name);
    const given = parse(command, args);
    return given === "help" ? help([name], streams) : command.run(given, streams);
  });
}

/** Tells an error in one line, a full disk behind standard output too. */
async function told(called: string, streams: Streams, run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error instanceof UsageError) return misread(called, error.message, streams);
    // Each of its lines says the file and the place.
    const said = error.name === "ConfigError" ? error.message : `${called}: ${error.message}`;
    streams.errors.write(`${said}\n`);
    return 1;
  }
}

const isHelp = (word: string | undefined): boolean => word === "--help" || word === "-h";

async function help(words: readonly string[], streams: Streams): Promise<number> {
  const [{ helpOf, helpOfGroup, helpOfHelp, overview }, { print }] = await Promise.all([
    import("./help.ts"),
    import("./output.ts"),
  ]);
  const name = words.join(" ");
  if (words.length === 0) {
    const { version } = await import("../version.ts");
    await print(streams.output, overview(version, await loaded("serve")));
    return 0;
  }
  if (name === "help" || isHelp(name)) await print(streams.output, helpOfHelp);
  else if (Object.hasOwn(commands, name)) await print(streams.output, helpOf(name, await loaded(name)));
  else if (groupOf(name).length > 0) await print(streams.output, helpOfGroup(groupOf(name)));
  else return unknown(name, streams);
  return 0;
}

const loaded = (name: string): Promise<Command> => commands[name]!.load();

async function unknown(word: string, streams: Streams): Promise<number> {
  const { hint } = await import("../config/nearest.ts");
  const known = Object.keys(commands).flatMap((name) => [name, name.split(" ")[0]!]);
  return misread(us, `unknown command "${word}"${hint(word, known)}`, streams);
}

/** One line: what is wrong with the command line, and where to read more. */
function misread(called: string, message: string, { errors }: Streams): number {
  errors.write(`${called}: ${message.replaceAll(/\s*\n\s*/g, " ")} (${called} --help shows how)\n`);
  return 2;
}
