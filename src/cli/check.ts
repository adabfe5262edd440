import { describe, type Problem } from "../config/problem.ts";
import { type Command, UsageError } from "./command.ts";
import { configOption } from "./config-option.ts";
import { configFile } from "./configuration.ts";
import { findingsIn, type Warning } from "./findings.ts";
import { wholeOf } from "./input.ts";
import { print, printJson } from "./output.ts";

/** Everything that is wrong with a configuration, and all that has no effect. Starts and changes nothing. */
export const check: Command = {
  usage: "check [FILE] [OPTION...]",
  about: `Reports all problems at once, with line and column, and all warnings. Of a key of vLLM Semantic Router v0.1 that does
nothing here it says what the key is taken to do, and what happens instead. Directories of models are read, and files
that the sending of spans needs. FILE - is standard input; relative directories of models start from where you are then.
Exit status: 0 valid, 1 not (with --strict also where there are warnings), 2 usage.`,
  options: {
    config: configOption,
    strict: { type: "boolean", description: "warnings count as problems for the exit status" },
    json: { type: "boolean", description: "as JSON: valid, file, problems, warnings" },
  },
  positionals: [0, 1],
  async run({ positionals: [named], text, flag }, { input, output, errors }) {
    const config = text("config");
    if (named !== undefined && config !== undefined)
      throw new UsageError("give FILE or --config FILE, not both");
    // Most often a variable of the shell that is not set; without FILE another one would be checked.
    if (named === "") throw new UsageError("FILE is empty");
    const isInput = (named ?? config) === "-";
    const file = isInput ? "standard input" : configFile(named ?? config);
    const { problems, warnings } = await findingsIn(file, isInput ? await textIn(input) : undefined);
    const valid = problems.length === 0;
    const isRefused = flag("strict") && warnings.length > 0;
    if (flag("json")) await printJson(output, { valid, file, problems, warnings: warnings.map(entry) });
    else {
      const lines = warnings.flatMap((warning) => told(warning, file));
      if (valid)
        lines.push(`${file}: valid${isRefused ? `, with ${counted(warnings.length)} (--strict)` : ""}`);
      if (lines.length > 0) await print(output, lines.join("\n"));
      if (!valid) errors.write(`${problems.map((problem) => describe(problem, file)).join("\n")}\n`);
    }
    return valid && !isRefused ? 0 : 1;
  },
};

async function textIn(input: AsyncIterable<Uint8Array>): Promise<string> {
  const bytes = await wholeOf(input);
  // Of a command before the pipe that failed; as a configuration it would be valid.
  if (bytes.length === 0) throw new Error("standard input is empty");
  try {
    // A byte order mark stays for the parser.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error("standard input is not UTF-8");
  }
}

function told(warning: Warning, file: string): string[] {
  const { believed, here } = warning;
  if (believed === undefined) return [`warning: ${describe(warning, file)}`];
  const place = describe({ ...warning, message: "has no effect" }, file);
  return [`warning: ${place}`, `  v0.1: ${believed}`, `  here: ${here}`];
}

/** Keys in the documented order. */
function entry({ line, column, path, message, believed, here }: Warning): Problem & Partial<Warning> {
  return {
    line,
    column,
    path,
    message,
    ...(believed !== undefined && here !== undefined && { believed, here }),
  };
}

const counted = (count: number) => (count === 1 ? "one warning" : `${count} warnings`);
