import { readFileSync } from "node:fs";
import { isHeaderName } from "../config/header-names.ts";
import { type Command, type Given, type Streams, UsageError } from "./command.ts";
import { configOption } from "./config-option.ts";
import { configFile } from "./configuration.ts";
import type { DryRequest } from "./explain/dry-run.ts";
import { explain as explanationOf } from "./explain/explanation.ts";
import { printed } from "./explain/print.ts";
import { startSubjects } from "./explain/subject.ts";
import { wholeOf } from "./input.ts";
import { print, printJson } from "./output.ts";
import { whyUnreadable } from "./unreadable.ts";

/** What the router would decide of one request, and why. Nothing is sent to anybody. */
export const explain: Command = {
  usage: "explain PROMPT",
  takesText: true,
  about: `Runs the request through the router as serve would build it, in this process, and prints what each stage
decided. No model server is asked, and the cache of a running router is not looked at.

  semantic-router explain "What is 17 * 23?" --config my.yaml
  semantic-router explain --request request.json --json

Exit status: 0 explained, a refused request too; 1 it could not be (the configuration is wrong); 2 usage.`,
  options: {
    config: configOption,
    model: { type: "string", value: "NAME", description: 'model that the client asks for (default: "auto")' },
    system: { type: "string", value: "TEXT", description: "system message that the client sends" },
    header: {
      type: "string",
      value: "'NAME: VALUE'",
      many: true,
      description: "header that the client sends; may be given more than once",
    },
    request: {
      type: "string",
      value: "FILE",
      description: "whole body of a chat request in place of a prompt; - for standard input",
    },
    json: { type: "boolean", description: "print one JSON object" },
  },
  positionals: [0, Number.POSITIVE_INFINITY],
  async run(given, streams) {
    const request = await requestOf(given, streams);
    const { subjects, close } = await startSubjects([configFile(given.text("config"))], 1);
    try {
      const [subject] = subjects;
      for (const warning of subject!.warnings) streams.errors.write(`warning: ${warning}\n`);
      const explanation = await explanationOf(subject!, request);
      if (given.flag("json")) await printJson(streams.output, explanation);
      else await print(streams.output, printed(explanation));
      return 0;
    } finally {
      await close();
    }
  },
};

async function requestOf({ positionals, text, all }: Given, { input }: Streams): Promise<DryRequest> {
  const headers = all("header").map(headerOf);
  const file = text("request");
  const [prompt, ...more] = positionals;
  if (more.length > 0)
    throw new UsageError(`one prompt, please, and ${positionals.length} came: put it in quotes`);
  if (file === undefined) {
    if (prompt === undefined)
      throw new UsageError("nothing to explain: give a prompt in quotes, or --request FILE");
    return { headers, body: Buffer.from(JSON.stringify(chatOf(prompt, text("model"), text("system")))) };
  }
  const beside = [
    ["a prompt", prompt] as const,
    ...["model", "system"].map((name) => [`--${name}`, text(name)] as const),
  ];
  const [extra] = beside.find(([, value]) => value !== undefined) ?? [];
  if (extra) throw new UsageError(`--request is a whole request: ${extra} has no place beside it`);
  return { headers, body: file === "-" ? await wholeOf(input) : readWhole(file) };
}

const chatOf = (prompt: string, model = "auto", system?: string) => ({
  model,
  messages: [
    ...(system === undefined ? [] : [{ role: "system", content: system }]),
    { role: "user", content: prompt },
  ],
});

function headerOf(text: string): readonly [string, string] {
  const [, name = "", value = ""] = /^([^:]*):\s*(.*?)\s*$/s.exec(text) ?? [];
  if (!isHeaderName(name) || /[\r\n\0]/.test(value))
    throw new UsageError(`--header ${JSON.stringify(text)}: write 'name: value'`);
  // Envoy knows header names in lower case only.
  return [name.toLowerCase(), value];
}

function readWhole(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`cannot read ${file}: ${whyUnreadable(error as Error)}`);
  }
}
