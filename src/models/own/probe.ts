import { dirname, join } from "node:path";
import type { ModelFiles } from "./files.ts";
import type { Output } from "./graph.ts";
import { Misfit } from "./tokenizer/part.ts";
import type { Windowed } from "./windowed.ts";

/**
 * What a pass over a word gives, to see what the graph is. Throws a Misfit when that pass, one over the last token of the
 * vocabulary, or one over a full window fails or gives what cannot be used: texts would meet with it later.
 */
export async function probe(files: ModelFiles, windowed: Windowed): Promise<Output> {
  const { configPath, tokenizer, tokenizerPath } = files;
  const word = windowed.tokens("hello").ids.subarray(0, windowed.size);
  const output = await tried(word, files, windowed);
  const last = Int32Array.of(tokenizer.size - 1);
  await tried(
    last,
    files,
    windowed,
    `it does not know all tokens of ${tokenizerPath}: take both from the same model`,
  );
  const asExported = `export it with variable lengths, from the model of ${configPath}`;
  const shorter = `write as model_max_length in ${join(dirname(configPath), "tokenizer_config.json")} how many it takes`;
  await tried(
    fullWindow(files, windowed.size),
    files,
    windowed,
    `that is a full window: ${asExported}, or ${shorter}`,
  );
  return output;
}

/** Tokens from all over the vocabulary, but not the one that fills up: some graphs give it no place. */
function fullWindow({ tokenizer, architecture }: ModelFiles, size: number): Int32Array {
  const others = tokenizer.size - 1;
  return Int32Array.from({ length: size }, (_, i) => {
    const id = Math.floor((i * others) / size);
    return id < architecture.padding ? id : id + 1;
  });
}

async function tried(
  ids: Int32Array,
  files: ModelFiles,
  windowed: Windowed,
  remedy?: string,
): Promise<Output> {
  const { onnxPath, tokenizer } = files;
  const { before, after } = tokenizer.frame;
  const output = await windowed.run({ ids }, { start: 0, end: ids.length }, remedy);
  const count = Math.max(1, before.length + ids.length + after.length);
  const [rows] = output.dims;
  if (output.dims.length !== 1 && (output.dims.length !== 2 || rows !== count)) {
    const form = output.dims.join(" by ") || "one";
    throw new Misfit(
      `${onnxPath}: gives ${form} numbers for ${count} tokens; export it with variable lengths`,
    );
  }
  if (!output.data.every(Number.isFinite)) {
    const misfit = `gives no finite numbers for ${count} tokens`;
    throw new Misfit(
      `${onnxPath}: ${misfit}; export it anew, with weights of 32 bits, or take another model`,
    );
  }
  return output;
}
