import { dirname, resolve } from "node:path";
import type { Report } from "./problem.ts";
import type { Config } from "./schema.ts";

/** A task that a model of the operator's own may serve. */
export type OwnTask = "category" | "jailbreak" | "pii" | "embedding";

/** The model that is named for a task. Both paths are absolute. */
export interface OwnModelSetting {
  readonly task: OwnTask;
  /** The key that names it. */
  readonly key: string;
  readonly dir: string;
  /** Names its labels; without it the model's own `config.json` does. */
  readonly mappingPath?: string;
}

interface Named {
  readonly task: OwnTask;
  readonly section: readonly string[];
  readonly id: string | undefined;
  readonly mappingKey?: string;
  readonly mapping?: string | undefined;
}

// A hub's name, or a path in v0.1's own image, names no directory that is here.
const isDirectory = (id: string): boolean => /^(?:\/|\.\.?\/)/.test(id);
const isHome = (id: string): boolean => /^~[^/]*(?:\/|$)/.test(id);

/** The models that `config` names by directory; `file` is the configuration's, which relative paths start from. */
export function ownModelSettings(config: Config, file: string): OwnModelSetting[] {
  return namedIn(config).flatMap(({ task, section, id, mapping }) => {
    if (id === undefined || !isDirectory(id)) return [];
    const at = (path: string): string => resolve(dirname(file), path);
    const named = { task, key: [...section, "model_id"].join("."), dir: at(id) };
    return [mapping === undefined ? named : { ...named, mappingPath: at(mapping) }];
  });
}

/** Says of each model or mapping that is named and not used how it would be. */
export function checkOwnModels(config: Config, report: Report): void {
  for (const { section, id, mappingKey, mapping } of namedIn(config)) {
    if (id !== undefined && isDirectory(id)) continue;
    const message =
      id !== undefined && isHome(id)
        ? 'not used: "~" is expanded by shells only; write the whole path of the directory, from "/" on'
        : 'not used: the embedded model serves this task; a model_id that begins with "/", "./" or "../" is the directory of a model of your own';
    if (id !== undefined) report.warn([...section, "model_id"], message, "key");
    if (mappingKey && mapping !== undefined) report.warn([...section, mappingKey], message, "key");
  }
}

function namedIn({ classifier, prompt_guard, bert_model }: Config): Named[] {
  const { category_model, pii_model } = classifier;
  return [
    {
      task: "category",
      section: ["classifier", "category_model"],
      id: category_model.model_id,
      mappingKey: "category_mapping_path",
      mapping: category_model.category_mapping_path,
    },
    {
      task: "pii",
      section: ["classifier", "pii_model"],
      id: pii_model?.model_id,
      mappingKey: "pii_mapping_path",
      mapping: pii_model?.pii_mapping_path,
    },
    {
      task: "jailbreak",
      section: ["prompt_guard"],
      id: prompt_guard.model_id,
      mappingKey: "jailbreak_mapping_path",
      mapping: prompt_guard.jailbreak_mapping_path,
    },
    { task: "embedding", section: ["bert_model"], id: bert_model.model_id },
  ];
}
