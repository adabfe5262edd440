import { fstatSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Writable } from "node:stream";
import { EncodeError } from "../models/encode.ts";
import { type EncoderOptions, startEncoder } from "../models/encoder.ts";
import { answerOf, type PairAnswer, type TextAnswer } from "./answers.ts";
import { readAsked } from "./asked.ts";
import { inOrder } from "./in-order.ts";
import { type Line, linesOf } from "./lines.ts";
import { help, type Options, readOptions, UsageError } from "./options.ts";

/** Where lines come from and where answers go. */
export interface Streams {
  readonly input: AsyncIterable<Uint8Array>;
  readonly output: Writable;
  readonly errors: Writable;
}

/** What stands in the place of a line that could not be answered. */
interface Fault {
  readonly error: string;
  /** Counted from 1. */
  readonly line: number;
}

type Model = Parameters<typeof answerOf>[1];
type StartedModel = Model & { close(): Promise<void> };

const us = "semantic-router classify";

const standard: Streams = { input: process.stdin, output: process.stdout, errors: process.stderr };
const mostLineBytes = 16 * 1024 * 1024;
const mostLines = 256;
// Of text in all lines under way: less than the encoder lets wait.
const mostUnits = 16 * 1024 * 1024;
// A file is in no hurry, and each pair takes two places in the encoder's queue.
const patient = { deadlineMs: 86_400_000, queueLimit: 4 * mostLines };

/**
 * Runs `classify` with the arguments after it; `start` loads the model.
 * Resolves to the exit status: 0, 1 not all classified, 2 usage.
 */
export async function classify(
  args: readonly string[],
  streams = standard,
  start: (options: EncoderOptions) => Promise<StartedModel> = startEncoder,
): Promise<number> {
  try {
    const options = readOptions(args);
    if (options !== "help") return await run(options, streams, start);
    await writerTo(streams.output)(`${help}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isUsage = error instanceof UsageError;
    streams.errors.write(`${us}: ${error.message}${isUsage ? " (--help shows how)" : ""}\n`);
    return isUsage ? 2 : 1;
  }
}

async function run(
  { text, timings, model: path, workers, threads }: Options,
  streams: Streams,
  start: (options: EncoderOptions) => Promise<StartedModel>,
): Promise<number> {
  // Read, it would be an input without lines.
  if (text === undefined && streams === standard && fstatSync(0).isDirectory())
    throw new UsageError("standard input is a directory: give a file of JSON lines");
  const model = await start({
    path,
    workers: workers ?? (text === undefined ? availableParallelism() : 1),
    threads,
    ...patient,
  });
  try {
    if (text === undefined) return await classifyLines(streams, model, timings);
    const answer = await answerOf({ kind: "text", text }, model, timings);
    await writerTo(streams.output)(`${JSON.stringify(answer)}\n`);
    return 0;
  } finally {
    await model.close();
  }
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

/** Writes at the pace of the reader. Resolves to false once the reader has gone; rejects on any other failure. */
function writerTo(stream: Writable): (text: string) => Promise<boolean> {
  // Told to each write as well, which is where it is dealt with; unheard, it would end the process.
  stream.on("error", () => {});
  return (text) =>
    new Promise((resolve, reject) => {
      stream.write(text, (error: NodeJS.ErrnoException | null | undefined) => {
        if (error && error.code !== "EPIPE") reject(error);
        else resolve(!error);
      });
    });
}
