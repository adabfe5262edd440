import { jsonAt } from "./files.ts";
import { isPart, Misfit, type Part } from "./tokenizer/part.ts";

/** A task with labels, the key of the configuration that names its mapping file, and the keys in that file. */
const MAPPINGS = {
  category: {
    key: "classifier.category_model.category_mapping_path",
    byIndex: "idx_to_category",
    byLabel: "category_to_idx",
  },
  jailbreak: { key: "prompt_guard.jailbreak_mapping_path", byIndex: "idx_to_label", byLabel: "label_to_idx" },
  pii: { key: "classifier.pii_model.pii_mapping_path", byIndex: "idx_to_label", byLabel: "label_to_idx" },
} as const;

export type LabelTask = keyof typeof MAPPINGS;

/** The labels of a model's outputs, in their order, and the file that they are from. */
export interface Labels {
  readonly names: readonly string[];
  readonly path: string;
}

/**
 * Labels from the mapping file at `mappingPath`, else from `id2label` of `config.json`.
 * Throws a Misfit that names the file and the index that is missing or used twice.
 */
export function readLabels(
  task: LabelTask,
  config: Part,
  configPath: string,
  mappingPath: string | undefined,
): Labels {
  const { key } = MAPPINGS[task];
  if (mappingPath !== undefined) return { names: fromMapping(task, mappingPath), path: mappingPath };
  // A model of two labels without names is saved without the table.
  const table = isPart(config.id2label) ? config.id2label : { 0: "LABEL_0", 1: "LABEL_1" };
  const names = inOrder(entriesOf(table, configPath), configPath, "id2label");
  if (task !== "jailbreak" && names.every((name) => /^LABEL_\d+$/.test(name))) {
    throw new Misfit(`${configPath}: its labels have no names; name them in a file at ${key}`);
  }
  return { names, path: configPath };
}

function fromMapping(task: LabelTask, path: string): string[] {
  const { key, byIndex, byLabel } = MAPPINGS[task];
  const file = jsonAt(path, `give ${key} the mapping file of this model`);
  const indexed = isPart(file[byIndex]) ? inOrder(entriesOf(file[byIndex], path), path, byIndex) : undefined;
  if (!isPart(file[byLabel])) {
    if (indexed) return indexed;
    throw new Misfit(
      `${path}: neither ${byIndex} nor ${byLabel} is there; give ${key} the mapping file of this model`,
    );
  }
  const pairs = Object.entries(file[byLabel]).map(([label, index]): [number, string] => [
    Number(index),
    label,
  ]);
  const labelled = inOrder(pairs, path, byLabel);
  const differing = indexed?.findIndex((label, i) => label !== labelled[i]) ?? -1;
  if (indexed && (differing >= 0 || indexed.length !== labelled.length)) {
    const at = differing >= 0 ? differing : indexed.length;
    throw new Misfit(`${path}: ${byIndex} and ${byLabel} differ at index ${at}; correct one or leave it out`);
  }
  return labelled;
}

function entriesOf(table: Part, path: string): [number, string][] {
  return Object.entries(table).map(([index, label]) => {
    if (typeof label !== "string") throw new Misfit(`${path}: the label of index ${index} is no text`);
    return [Number(index), label];
  });
}

function inOrder(pairs: readonly (readonly [number, string])[], path: string, key: string): string[] {
  const names: string[] = [];
  for (const [index, label] of pairs) {
    if (!Number.isInteger(index) || index < 0)
      throw new Misfit(`${path}: ${key} has "${label}" at no whole number`);
    if (names[index] !== undefined)
      throw new Misfit(`${path}: ${key} has both "${names[index]}" and "${label}" at index ${index}`);
    names[index] = label;
  }
  for (let i = 0; i < pairs.length; i++)
    if (names[i] === undefined)
      throw new Misfit(`${path}: ${key} lacks index ${i}; every output needs a label`);
  if (names.length === 0) throw new Misfit(`${path}: ${key} is empty; every output needs a label`);
  return names;
}
