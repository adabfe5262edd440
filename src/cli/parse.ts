import { parseArgs } from "node:util";
import { hint } from "../config/nearest.ts";
import { type Command, type Given, type Option, UsageError } from "./command.ts";

const mostQuoted = 60;

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];
type OptionToken = Extract<Token, { kind: "option" }>;

/** Reads the arguments after the command's own words; "help" where help is asked for. Throws `UsageError`. */
export function parse(command: Command, args: readonly string[]): Given | "help" {
  const {
    options,
    positionals: [least, most],
  } = command;
  const { tokens } = parseArgs({
    args: [...args],
    // What is wrong is told here, in one line and with the remedy.
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: {
      ...Object.fromEntries(
        Object.entries(options).map(([name, { type, short }]) => [name, short ? { type, short } : { type }]),
      ),
      help: { type: "boolean", short: "h" },
    },
  });
  const given = tokens.filter((token) => token.kind === "option");
  // `-how?` is none of it, though it begins so.
  if (given.some(({ name, index }) => name === "help" && /^(?:-h|--help(?:=.*)?)$/s.test(args[index]!)))
    return "help";

  const values = new Map<string, string[]>();
  for (const token of given) {
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) throw new UsageError(unknown(token, args, command));
    const seen = values.get(token.name) ?? [];
    if (seen.length > 0 && !option.many) throw new UsageError(`--${token.name} is given twice`);
    values.set(token.name, [...seen, checked(token, option)]);
  }
  const positionals = tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : []));
  if (positionals.length < least) throw new UsageError(`${wanted(least, most)}, and ${came(positionals)}`);
  if (positionals.length > most)
    throw new UsageError(
      most === 0 ? `unexpected "${positionals[0]}"` : `${wanted(least, most)}, and ${came(positionals)}`,
    );
  return {
    positionals,
    text: (name) => values.get(name)?.at(-1),
    flag: (name) => values.has(name),
    all: (name) => values.get(name) ?? [],
  };
}

function checked(token: OptionToken, { type, choices }: Option): string {
  const { name, value, inlineValue } = token;
  const shown = `--${name}`;
  if (type === "boolean") {
    if (value !== undefined) throw new UsageError(`${shown} takes no value`);
    return "";
  }
  if (value === undefined) throw new UsageError(`${shown} needs a value`);
  if (!inlineValue && /^-./.test(value))
    throw new UsageError(`${shown} needs a value; one that begins with a dash is given as ${shown}=${value}`);
  if (value === "") throw new UsageError(`${shown} needs a value, and it is empty`);
  if (choices && !choices.includes(value))
    throw new UsageError(`${shown} must be one of ${choices.join(", ")}, not "${value}"`);
  return value;
}

/** Of `-config`, which v0.1 took, the parser sees `-c` only. */
function unknown({ index }: OptionToken, args: readonly string[], command: Command): string {
  const whole = args[index]!;
  const { options, takesText, usage } = command;
  const written = whole.split("=", 1)[0]!;
  const guess = hint(
    written,
    Object.keys(options).map((name) => `--${name}`),
  );
  if (guess !== "" || !takesText) return `unknown option "${written}"${guess}`;
  const [name] = usage.split(" ");
  const shown = written.length > mostQuoted ? `${written.slice(0, mostQuoted)}…` : written;
  return `unknown option "${shown}"; a text that begins with a dash comes behind --: ${name} -- ${quoted(whole)}`;
}

/** As a shell takes it, where it is short enough to be read. */
function quoted(text: string): string {
  if (text.length > mostQuoted) return '"-..."';
  return /["$`\\!]/.test(text) ? `'${text.replaceAll("'", "'\\''")}'` : `"${text}"`;
}

const counted = (count: number) => (count === 1 ? "one argument" : `${count} arguments`);
const came = ({ length }: readonly string[]) => (length === 0 ? "none came" : `${length} came`);

function wanted(least: number, most: number): string {
  if (least === most) return `${counted(most)} wanted`;
  return most === Number.POSITIVE_INFINITY
    ? `at least ${counted(least)} wanted`
    : `at most ${counted(most)} wanted`;
}
