import { createReadStream } from "node:fs";
import { availableParallelism } from "node:os";
import { loadConfig } from "../config/load.ts";
import { type Command, type Streams, UsageError } from "./command.ts";
import { type KeyChange, keyChanges } from "./diff-keys.ts";
import { diffPrompts, type PromptStreams } from "./diff-run.ts";
import { cellsOf } from "./diff-table.ts";
import { startSubjects } from "./explain/subject.ts";
import { print, printJson } from "./output.ts";
import { whyUnreadable } from "./unreadable.ts";

/** What changes between two configurations: their keys, or, of a file of prompts, those that would take another route. */
export const configDiff: Command = {
  usage: "config diff OLD NEW [--prompts FILE]",
  about: `Without --prompts: the keys whose values in force differ, defaults filled in; secrets are shown as ***.

With --prompts: runs each prompt through both configurations, in this process, and prints those of which the model, the
category, reasoning, the endpoints, a refusal or the system prompt would change. FILE has a prompt per line, or JSON:
{"text": "..."} or a whole chat request {"messages": [...]}; blank lines are left out. Prompts are printed to standard
output and go nowhere else.

  semantic-router config diff old.yaml new.yaml --prompts prompts.txt

Exit status: 0 done; 1 a configuration is wrong or a line could not be compared, with --exit-code also where something
changes; 2 usage.`,
  options: {
    prompts: { type: "string", value: "FILE", description: "prompts to compare; - for standard input" },
    "hide-prompts": { type: "boolean", description: "leave the prompts out; lines have their numbers" },
    "exit-code": { type: "boolean", description: "exit status 1 where something changes" },
    json: { type: "boolean", description: "print one JSON object" },
  },
  positionals: [0, Number.POSITIVE_INFINITY],
  async run({ positionals, text, flag }, streams) {
    if (positionals.length !== 2)
      throw new UsageError(`two configurations, OLD and NEW, are wanted, and ${positionals.length} came`);
    const prompts = text("prompts");
    if (prompts === undefined && flag("hide-prompts"))
      throw new UsageError("--hide-prompts goes with --prompts");
    const [old, next] = positionals as [string, string];
    // Most often a variable of the shell that is not set.
    if (old === "" || next === "") throw new UsageError(`${old === "" ? "OLD" : "NEW"} is empty`);
    const { changed, failed } =
      prompts === undefined
        ? await diffKeys(old, next, flag("json"), streams)
        : await runPrompts([old, next], prompts, streams, { json: flag("json"), hide: flag("hide-prompts") });
    return failed || (changed && flag("exit-code")) ? 1 : 0;
  },
};

interface Ran {
  readonly changed: boolean;
  readonly failed: boolean;
}

async function diffKeys(old: string, next: string, json: boolean, { output }: Streams): Promise<Ran> {
  const changes = keyChanges(loadConfig(old).config, loadConfig(next).config);
  if (json) await printJson(output, { changes });
  else if (changes.length === 0) await print(output, "no key differs");
  else await print(output, keyTable(changes));
  return { changed: changes.length > 0, failed: false };
}

function keyTable(changes: readonly KeyChange[]): string {
  const width = Math.min(60, Math.max(...changes.map(({ path }) => path.length)));
  const shown = (value: unknown) =>
    value === null ? "not set" : typeof value === "string" ? value : JSON.stringify(value);
  return changes
    .map(
      ({ path, old, new: now }) => `${path.padEnd(width)}  ${cellsOf(shown(old), shown(now)).join(" -> ")}`,
    )
    .join("\n");
}

async function runPrompts(
  files: readonly string[],
  prompts: string,
  { input, output, errors }: Streams,
  options: { readonly json: boolean; readonly hide: boolean },
): Promise<Ran> {
  // Before the models are loaded, which takes longer: a wrong name is told at once.
  const lines = prompts === "-" ? input : await opened(prompts);
  const workers = Math.min(4, availableParallelism());
  const { subjects, close } = await startSubjects(files, workers);
  try {
    for (const { warnings, loaded } of subjects)
      for (const warning of warnings) errors.write(`warning: ${loaded.source.file}: ${warning}\n`);
    const streams: PromptStreams = { lines, output, errors };
    return await diffPrompts([subjects[0]!, subjects[1]!], streams, options);
  } finally {
    await close();
  }
}

/** Rejects where the file cannot be opened. */
async function opened(file: string): Promise<AsyncIterable<Uint8Array>> {
  const stream = createReadStream(file);
  await new Promise((resolve, reject) => {
    stream.once("open", resolve).once("error", (error) => {
      reject(new Error(`cannot read ${file}: ${whyUnreadable(error)}`));
    });
  });
  return stream;
}
