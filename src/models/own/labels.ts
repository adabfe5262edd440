import { jsonAt } from "./disk.ts";
import { isPart, Misfit, type Part } from "./tokenizer/part.ts";

/**
 * A task with labels, the key of the configuration that names its mapping file, and the keys in that file; makers of the
 * same files write the last two as well.
 */
const MAPPINGS = {
  category: {
    key: "classifier.category_model.category_mapping_path",
    byIndex: ["idx_to_category", "id_to_label"],
    byLabel: ["category_to_idx", "label_to_id"],
  },
  jailbreak: {
    key: "prompt_guard.jailbreak_mapping_path",
    byIndex: ["idx_to_label", "id_to_label"],
    byLabel: ["label_to_idx", "label_to_id"],
  },
  pii: {
    key: "classifier.pii_model.pii_mapping_path",
    byIndex: ["idx_to_label", "id_to_label"],
    byLabel: ["label_to_idx", "label_to_id"],
  },
} as const;

export type LabelTask = keyof typeof MAPPINGS;

/** The labels of a model's outputs, in their order, and the file that they are from. */
export interface Labels {
  readonly names: readonly string[];
  readonly path: string;
}

/**
 * Labels from the mapping file at `mappingPath`, else from `id2label` of `config.json`.
 * Throws a Misfit that names the file, what is missing, used twice or no label or index, and the remedy.
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
  const names = inOrder(Object.entries(table), configPath, "id2label");
  if (task !== "jailbreak" && names.every((name) => /^LABEL_\d+$/.test(name))) {
    throw new Misfit(`${configPath}: its labels have no names; name them in a file at ${key}`);
  }
  return { names, path: configPath };
}

function fromMapping(task: LabelTask, path: string): readonly string[] {
  const { key, byIndex, byLabel } = MAPPINGS[task];
  const remedy = `give ${key} the mapping file of this model`;
  const file = jsonAt(path, remedy);
  const tables = [...byIndex, ...byLabel].flatMap((name) => {
    const table = file[name];
    if (table === undefined) return [];
    if (!isPart(table)) throw new Misfit(`${path}: ${name} is no JSON object; ${remedy}`);
    const entries = Object.entries(table);
    const isByIndex = byIndex.some((one) => one === name);
    const pairs = isByIndex ? entries : entries.map(([label, index]): Pair => [index, label]);
    return [{ name, labels: inOrder(pairs, path, name) }];
  });
  const [first, ...others] = tables;
  if (!first) throw new Misfit(`${path}: neither ${byIndex[0]} nor ${byLabel[0]} is there; ${remedy}`);
  for (const { name, labels } of others) {
    const at = [...first.labels, undefined].findIndex((label, i) => label !== labels[i]);
    if (at >= 0)
      throw new Misfit(
        `${path}: ${first.name} and ${name} differ at index ${at}; correct one or leave it out`,
      );
  }
  return first.labels;
}

type Pair = readonly [index: unknown, label: unknown];

/** Labels by their indices. */
function inOrder(pairs: readonly Pair[], path: string, key: string): string[] {
  const says = (what: string, remedy: string): Misfit => new Misfit(`${path}: ${key} ${what}; ${remedy}`);
  const names: string[] = [];
  const places = new Map<string, number>();
  for (const [at, label] of pairs) {
    const index = wholeNumber(at);
    if (index === undefined)
      throw says(`has ${shown(label)} at ${shown(at)}, no whole number`, "count the outputs from 0");
    if (typeof label !== "string" || label.trim() === "")
      throw says(`has ${shown(label)} at index ${index}, no label`, "give it a name");
    if (names[index] !== undefined)
      throw says(
        `has both "${names[index]}" and "${label}" at index ${index}`,
        "give each an index of its own",
      );
    const before = places.get(label);
    if (before !== undefined)
      throw says(`has "${label}" at index ${before} and at ${index}`, "give each output a name of its own");
    names[index] = label;
    places.set(label, index);
  }
  for (let i = 0; i < pairs.length; i++)
    if (names[i] === undefined) throw says(`lacks index ${i}`, "every output needs a label");
  if (names.length === 0) throw says("is empty", "every output needs a label");
  return names;
}

/** A number from 0 on, or its digits. */
function wholeNumber(value: unknown): number | undefined {
  if (typeof value === "string" && /^(?:0|[1-9]\d*)$/.test(value)) return wholeNumber(Number(value));
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

const shown = (value: unknown): string => JSON.stringify(value);
