import { ownPart, type Window, windowsOf } from "../windows.ts";
import type { ModelFiles } from "./files.ts";
import type { Graph, Output } from "./graph.ts";
import { Misfit } from "./tokenizer/part.ts";
import type { Tokens } from "./tokenizer/tokenizer.ts";

/** One pass over part of a text. */
export interface Pass {
  /** Tokens of the text that were in it. */
  readonly window: Window;
  /** Of these, the ones that it answers for. */
  readonly own: Window;
  readonly output: Output;
}

// A quarter of each window lies in the next one too.
const OVERLAP = 4;
const LEAST = 8;
// The windows of the embedded model have two marks each, and count them.
const MARKS = 2;

/** A graph and its tokenizer: texts of any length, window by window. */
export class Windowed {
  /** Special tokens before those of the text, in each pass. */
  readonly before: number;
  /** Tokens of the text in each pass, at most. */
  readonly size: number;
  readonly #files: ModelFiles;
  readonly #graph: Graph;

  /** @param limit tokens of one pass, special ones included. */
  constructor(files: ModelFiles, graph: Graph, limit: number) {
    const { before, after } = files.tokenizer.frame;
    this.#files = files;
    this.#graph = graph;
    this.before = before.length;
    this.size = limit - before.length - after.length;
    if (this.size < LEAST) {
      const { path, key } = files.limit;
      const misfit = `${key} leaves windows of ${limit} tokens, too little for text`;
      throw new Misfit(`${path}: ${misfit}; write how many the model takes`);
    }
  }

  tokens(text: string): Tokens {
    return this.#files.tokenizer.tokenise(text);
  }

  /** At least one; with `most`, at most so many of them, evenly spread from the first to the last. */
  windows({ ids }: Tokens, most = Number.POSITIVE_INFINITY): readonly { window: Window; own: Window }[] {
    const windows = windowsOf(ids.length, {
      tokens: this.size + MARKS,
      overlap: Math.floor(this.size / OVERLAP),
    });
    const all = windows.map((window, i) => ({ window, own: ownPart(windows, i) }));
    if (all.length <= most) return all;
    return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))]!);
  }

  /** @param remedy for a pass that fails. */
  async run(
    { ids }: Pick<Tokens, "ids">,
    { start, end }: Window,
    remedy = `see that it belongs to ${this.#files.configPath}`,
  ): Promise<Output> {
    const { tokenizer, onnxPath } = this.#files;
    const { before, after } = tokenizer.frame;
    const framed = [...before, ...ids.subarray(start, end), ...after];
    try {
      return await this.#graph.run(framed.length > 0 ? framed : [0]);
    } catch (error) {
      if (error instanceof Misfit) throw error;
      // The runtime's own message may hold token ids, and those are the text.
      throw new Misfit(`${onnxPath}: a pass over ${framed.length} tokens failed; ${remedy}`);
    }
  }

  close(): Promise<void> {
    return this.#graph.close();
  }

  /** All passes of a text of `units` UTF-16 units; yields each, and about how many of these are left after it. */
  async *passes(
    tokens: Tokens,
    units: number,
    most?: number,
  ): AsyncGenerator<{ readonly pass: Pass; readonly left: number }, void, void> {
    const windows = this.windows(tokens, most);
    for (const [i, { window, own }] of windows.entries()) {
      const output = await this.run(tokens, window);
      yield { pass: { window, own, output }, left: Math.ceil(units * (1 - (i + 1) / windows.length)) };
    }
  }
}
