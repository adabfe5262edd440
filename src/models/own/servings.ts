import { finite, softmax } from "../gist.ts";
import type { ModelFiles } from "./files.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { Output } from "./graph.ts";
import { type Labels, type LabelTask, readLabels } from "./labels.ts";
import { jailbreakIndices, readTags } from "./meanings.ts";
import type { OwnModel, OwnTask } from "./own.ts";
import { probe } from "./probe.ts";
import { judge, spansOf, verdicts } from "./spans.ts";
import { Misfit, textAt } from "./tokenizer/part.ts";
import type { Windowed } from "./windowed.ts";

// How each task is served by a model: what its graph must give, and what is made of it.

type Serving<T extends OwnTask> = (
  files: ModelFiles,
  windowed: Windowed,
  mappingPath: string | undefined,
) => Promise<OwnModel<T>>;

// Of a longer text, so many windows tell what it is about; guards read them all.
const MOST = 16;

export const SERVINGS: { readonly [T in OwnTask]: Serving<T> } = {
  async category(files, windowed, mappingPath) {
    const { names } = await labelled("category", files, windowed, mappingPath);
    return served("category", files, windowed, { labels: names }, async function* (text) {
      const mean = new Mean(names.length);
      for await (const { pass, left } of windowed.passes(windowed.tokens(text), text.length, MOST)) {
        mean.add(pass.output.data, pass.window.end - pass.window.start);
        yield left;
      }
      return softmax(mean.value(), 1);
    });
  },

  async jailbreak(files, windowed, mappingPath) {
    const labels = await labelled("jailbreak", files, windowed, mappingPath);
    const attacks = jailbreakIndices(labels);
    return served("jailbreak", files, windowed, { labels: labels.names }, async function* (text) {
      let highest = 0;
      for await (const { pass, left } of windowed.passes(windowed.tokens(text), text.length)) {
        const probabilities = softmax(pass.output.data, 1);
        highest = Math.max(
          highest,
          attacks.reduce((sum, i) => sum + probabilities[i]!, 0),
        );
        yield left;
      }
      return Math.min(1, highest);
    });
  },

  async pii(files, windowed, mappingPath) {
    const tags = readTags(await labelled("pii", files, windowed, mappingPath));
    return served("pii", files, windowed, { labels: tags.types }, async function* (text) {
      const tokens = windowed.tokens(text);
      const found = verdicts(tokens.ids.length);
      const width = tags.tags.length;
      for await (const { pass, left } of windowed.passes(tokens, text.length)) {
        for (let i = pass.own.start; i < pass.own.end; i++) {
          const row = (windowed.before + i - pass.window.start) * width;
          judge(found, i, pass.output.data.subarray(row, row + width), tags);
        }
        yield left;
      }
      return spansOf(text, tokens, found, tags.types);
    });
  },

  async embedding(files, windowed) {
    const { dims: shape } = await probe(files, windowed);
    const dims = shape.at(-1)!;
    return served("embedding", files, windowed, { dims }, async function* (text) {
      const mean = new Mean(dims);
      for await (const { pass, left } of windowed.passes(windowed.tokens(text), text.length, MOST)) {
        mean.add(pooled(pass.output, files.pooling), pass.window.end - pass.window.start);
        yield left;
      }
      return unit(mean.value());
    });
  },
};

function served<T extends OwnTask>(
  task: T,
  files: ModelFiles,
  windowed: Windowed,
  about: Partial<Pick<OwnModel<T>, "labels" | "dims">>,
  scan: OwnModel<T>["scan"],
): OwnModel<T> {
  return {
    task,
    labels: [],
    dims: 0,
    fingerprint: fingerprintOf(files),
    ...about,
    scan,
    async run(text) {
      const steps = scan(text);
      for (let step = await steps.next(); ; step = await steps.next()) if (step.done) return step.value;
    },
    close: () => windowed.close(),
  };
}

/** Labels of a classifier of the kind that the task needs, as many as it has outputs. */
async function labelled(
  task: LabelTask,
  files: ModelFiles,
  windowed: Windowed,
  mappingPath: string | undefined,
): Promise<Labels> {
  const { config, configPath, onnxPath } = files;
  const labels = readLabels(task, config, configPath, mappingPath);
  const { dims } = await probe(files, windowed);
  const wanted = task === "pii" ? "token" : "text";
  const found = dims.length === 2 ? "token" : "text";
  if (found !== wanted)
    throw new Misfit(`${onnxPath}: is a ${found} classifier; this task needs a ${wanted} classifier`);
  const kind = textAt(config, "problem_type", "single_label_classification");
  if (task !== "pii" && kind !== "single_label_classification")
    throw new Misfit(
      `${configPath}: problem_type "${kind}" is not known here; take a model of one label per text`,
    );
  const width = dims.at(-1)!;
  if (width !== labels.names.length) {
    const count = `${labels.names.length} label${labels.names.length === 1 ? "" : "s"}`;
    throw new Misfit(
      `${labels.path}: has ${count}, but ${onnxPath} gives ${width}; take both from the same model`,
    );
  }
  return labels;
}

/** A mean of vectors by weight. */
class Mean {
  readonly #sum: Float64Array;
  #weight = 0;

  constructor(length: number) {
    this.#sum = new Float64Array(length);
  }

  /** A window without tokens of a text counts for one. */
  add(vector: Float32Array, tokens: number): void {
    const weight = Math.max(1, tokens);
    for (let i = 0; i < this.#sum.length; i++) this.#sum[i]! += vector[i]! * weight;
    this.#weight += weight;
  }

  value(): Float32Array {
    return Float32Array.from(this.#sum, (sum) => sum / this.#weight);
  }
}

/** One vector of a pass: the graph's own, or its tokens' as the model's makers pool them. */
function pooled({ data, dims }: Output, pooling: ModelFiles["pooling"]): Float32Array {
  const width = dims.at(-1)!;
  if (dims.length === 1 || pooling === "cls") return data.subarray(0, width);
  const sum = new Float32Array(width);
  for (let i = 0; i < data.length; i++) sum[i % width]! += (data[i]! * width) / data.length;
  return sum;
}

/** The vector at length 1; one of zeros stays as it is. Throws NotFinite. */
function unit(vector: Float32Array): Float32Array {
  const length = finite(Math.hypot(...vector), "sentence vector") || 1;
  return vector.map((value) => value / length);
}
