import type { Writable } from "node:stream";
import { readPrompt } from "./diff-prompts.ts";
import { type Aspect, type Changes, changesBetween, kindOf, routeOf } from "./diff-route.ts";
import { changeTable, summary } from "./diff-table.ts";
import { dryRun } from "./explain/dry-run.ts";
import { withPasses } from "./explain/passes.ts";
import type { Subject } from "./explain/subject.ts";
import { inOrder } from "./in-order.ts";
import { type Line, linesOf } from "./lines.ts";
import { writerTo } from "./output.ts";

export interface PromptStreams {
  readonly lines: AsyncIterable<Uint8Array>;
  readonly output: Writable;
  readonly errors: Writable;
}

type Compared =
  | { readonly kind: "blank" | "same" }
  | { readonly kind: "failed"; readonly line: number; readonly why: string }
  | {
      readonly kind: "changed";
      readonly line: number;
      readonly text: string;
      readonly changes: Changes;
      readonly counted: readonly string[];
    };

const mostLineBytes = 16 * 1024 * 1024;
const mostLines = 32;
/** UTF-16 units of all lines under way. */
const mostUnits = 8 * 1024 * 1024;

/**
 * Compares the route of each prompt under two configurations and writes what changes, in the order of the lines, holding a
 * few lines at a time. Ends early, and quietly, when the reader of the output has gone.
 */
export async function diffPrompts(
  subjects: readonly [old: Subject, next: Subject],
  { lines, output, errors }: PromptStreams,
  { json, hide }: { readonly json: boolean; readonly hide: boolean },
): Promise<{ readonly changed: boolean; readonly failed: boolean }> {
  const write = writerTo(output);
  const table = changeTable(!hide);
  const kinds = new Map<string, number>();
  const failures: { readonly line: number; readonly why: string }[] = [];
  let [prompts, changed, failed] = [0, 0, 0];
  const compared = inOrder(linesOf(lines, mostLineBytes), (line) => compare(line, subjects), {
    items: mostLines,
    weight: mostUnits,
    weigh: (line) => ("text" in line ? line.text.length : 0),
  });
  if (json && !(await write('{"changes":['))) return { changed: false, failed: false };
  for await (const one of compared) {
    if (one.kind === "blank") continue;
    prompts += 1;
    if (one.kind === "failed") {
      failed += 1;
      if (failures.length === 0) failures.push(one);
    }
    if (one.kind !== "changed") continue;
    changed += 1;
    for (const kind of one.counted) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    const { line, text, changes } = one;
    const row = json
      ? `${changed > 1 ? "," : ""}\n${JSON.stringify({ line, ...(!hide && { prompt: text }), changes: withoutText(changes) })}`
      : `${changed === 1 ? table.head : ""}${table.row(line, text, changes)}`;
    if (!(await write(row))) return { changed: true, failed: false };
  }
  const counts = { prompts, changed, failed, by: Object.fromEntries(kinds) };
  await write(
    json
      ? `\n],${JSON.stringify(counts).slice(1)}\n`
      : `${changed > 0 ? "\n" : ""}${summary(prompts, changed, kinds)}`,
  );
  const [first] = failures;
  if (first)
    errors.write(
      `semantic-router config diff: ${failed} of ${prompts} lines could not be compared; the first is line ${first.line}: ${first.why}\n`,
    );
  return { changed: changed > 0, failed: failed > 0 };
}

const withoutText = (changes: Changes): object =>
  Object.fromEntries(
    Object.entries(changes).map(([aspect, { old, new: next }]) => [aspect, { old, new: next }]),
  );

async function compare(line: Line, [old, next]: readonly [Subject, Subject]): Promise<Compared> {
  try {
    if ("fault" in line) throw new Error(line.fault);
    const prompt = readPrompt(line.text);
    if (!prompt) return { kind: "blank" };
    const request = { headers: [], body: prompt.body };
    const routed = async ({ service, loaded }: Subject) =>
      routeOf(await dryRun(service, request), request, loaded.config);
    const { result } = await withPasses(() => Promise.all([routed(old), routed(next)]));
    const changes = changesBetween(...result);
    const changedAspects = Object.keys(changes) as Aspect[];
    if (changedAspects.length === 0) return { kind: "same" };
    return {
      kind: "changed",
      line: line.number,
      text: prompt.text,
      changes,
      counted: changedAspects.map((aspect) => kindOf(aspect, ...result)),
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { kind: "failed", line: line.number, why: error.message };
  }
}
