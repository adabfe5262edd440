import { fstatSync } from "node:fs";
import { availableParallelism } from "node:os";
import { EncodeError } from "../models/encode.ts";
import { type EncoderOptions, startEncoder } from "../models/encoder.ts";
import { answerOf, type PairAnswer, type TextAnswer } from "./answers.ts";
import { readAsked } from "./asked.ts";
import { type Command, type Given, type Streams, UsageError } from "./command.ts";
import { inOrder } from "./in-order.ts";
import { type Line, linesOf } from "./lines.ts";
import { print, writerTo } from "./output.ts";

/** What stands in the place of a line that could not be answered. */
interface Fault {
  readonly error: string;
  /** Counted from 1. */
  readonly line: number;
}

type Model = Parameters<typeof answerOf>[1];
type StartedModel = Model & { close(): Promise<void> };

const us = "semantic-router classify";

const mostLineBytes = 16 * 1024 * 1024;
const mostLines = 256;
const mostThreads = 256;
// Of text in all lines under way: less than the encoder lets wait.
const mostUnits = 16 * 1024 * 1024;
// A file is in no hurry, and each pair takes two places in the encoder's queue.
const patient = { deadlineMs: 86_400_000, queueLimit: 4 * mostLines };

/** What the models say of one text, or of each line of standard input. */
export const classify: Command = {
  usage: "classify TEXT | --jsonl",
  takesText: true,
  about: `--jsonl reads one JSON object per line from standard input and writes one per line, in the same order. A line is
{"text": "..."} or a pair {"a": "...", "b": "..."}; other keys and those with null are ignored.
Exit status: 0 all classified, 1 not all (a line that cannot be gets {"error", "line"} in its place), 2 usage.`,
  options: {
    jsonl: { type: "boolean", description: "JSON lines from standard input in place of a text" },
    timings: { type: "boolean", description: "adds timings_ms: milliseconds per part" },
    model: { type: "string", value: "DIR", description: "model directory; else the one of this package" },
    workers: {
      type: "string",
      value: "N",
      description: "threads that encode (default: 1 for a text, one per core for lines)",
    },
    threads: { type: "string", value: "N", description: "threads within each of these (default: 1)" },
  },
  positionals: [0, Number.POSITIVE_INFINITY],
  run: (given, streams) => classifyGiven(given, streams),
};

/** Runs `classify`; `start` loads the model. Throws `UsageError`, and what `start` throws. */
export async function classifyGiven(
  { positionals, text: value, flag }: Given,
  streams: Streams,
  start: (options: EncoderOptions) => Promise<StartedModel> = startEncoder,
): Promise<number> {
  const isLines = flag("jsonl");
  if (isLines && positionals.length > 0)
    throw new UsageError("give a text or --jsonl, not both: --jsonl reads standard input");
  if (positionals.length > 1)
    throw new UsageError(`one text, please, and ${positionals.length} came: put it in quotes`);
  const [text] = positionals;
  if (!isLines && text === undefined)
    throw new UsageError("nothing to classify: give a text in quotes, or --jsonl for standard input");
  const workers = count("--workers", value("workers"));
  const threads = count("--threads", value("threads")) ?? 1;
  // Read, it would be an input without lines.
  if (text === undefined && streams.input === process.stdin && fstatSync(0).isDirectory())
    throw new UsageError("standard input is a directory: give a file of JSON lines");
  const model = await start({
    path: value("model"),
    workers: workers ?? (text === undefined ? availableParallelism() : 1),
    threads,
    ...patient,
  });
  try {
    if (text === undefined) return await classifyLines(streams, model, flag("timings"));
    const answer = await answerOf({ kind: "text", text }, model, flag("timings"));
    await print(streams.output, JSON.stringify(answer));
    return 0;
  } finally {
    await model.close();
  }
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > mostThreads)
    throw new UsageError(`${option} ${text}: give a whole number from 1 to ${mostThreads}`);
  return value;
}

/**
 * Answers each line of the input with one line of the output, in the same order. A line that cannot be answered gets
 * `{"error", "line"}` in its place. Ends early, and quietly, when the reader of the output has gone.
 */
export async function classifyLines(streams: Streams, model: Model, timings: boolean): Promise<number> {
  const write = writerTo(streams.output);
  let lines = 0;
  let failed = 0;
  let first: Fault | undefined;
  const answers = inOrder(linesOf(streams.input, mostLineBytes), (line) => lineOf(line, model, timings), {
    items: mostLines,
    weight: mostUnits,
    weigh: (line) => ("text" in line ? line.text.length : 0),
  });
  for await (const answer of answers) {
    lines += 1;
    if ("error" in answer) {
      failed += 1;
      first ??= answer;
    }
    if (!(await write(`${JSON.stringify(answer)}\n`))) return 0;
  }
  if (!first) return 0;
  streams.errors.write(
    `${us}: ${failed} of ${lines} lines could not be classified; the first is line ${first.line}: ${first.error}\n`,
  );
  return 1;
}

async function lineOf(line: Line, model: Model, timings: boolean): Promise<Fault | TextAnswer | PairAnswer> {
  try {
    if ("fault" in line) throw new Error(line.fault);
    return await answerOf(readAsked(line.text), model, timings);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const reason =
      error instanceof EncodeError ? `the model failed (${error.reason}): ${error.message}` : error.message;
    return { error: reason, line: line.number };
  }
}
