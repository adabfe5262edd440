import { Readable } from "node:stream";
import { type Command, UsageError } from "../../src/cli/command.ts";
import { type Explanation, explain } from "../../src/cli/explain/explanation.ts";
import { sharingPasses } from "../../src/cli/explain/passes.ts";
import { type Subject, subjectOf } from "../../src/cli/explain/subject.ts";
import { parse } from "../../src/cli/parse.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { Encoder } from "../../src/models/encode.ts";
import { fakeEncoder } from "../support/fake-encoder.ts";
import { sink } from "./run.ts";

/** Runs a command as the command line does, with these arguments and this standard input. Rejects with what it throws. */
export async function runs(command: Command, args: readonly string[], input = "") {
  const [output, errors] = [sink(), sink()];
  try {
    const given = parse(command, args);
    if (given === "help") throw new Error("help");
    const status = await command.run(given, { input: Readable.from([Buffer.from(input)]), output, errors });
    return { status, out: output.text(), errors: errors.text() };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { status: 2, out: output.text(), errors: error.message };
  }
}

/** A router with an encoder that is a function. */
export function fakeSubject(yaml: string, encoder: Encoder = fakeEncoder()): Subject {
  const loaded = { ...parseConfig(yaml), source: { file: "config.yaml", text: yaml } };
  return subjectOf(loaded, sharingPasses(encoder));
}

/** A body, or the last message of one. */
export const requestOf = (asked: string | object, headers: readonly (readonly [string, string])[] = []) => ({
  headers,
  body: Buffer.from(
    JSON.stringify(
      typeof asked === "string" ? { model: "auto", messages: [{ role: "user", content: asked }] } : asked,
    ),
  ),
});

export const explained = (yaml: string, asked: string | object, encoder?: Encoder): Promise<Explanation> =>
  explain(fakeSubject(yaml, encoder), requestOf(asked));
