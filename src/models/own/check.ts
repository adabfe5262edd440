import { readModelFiles } from "./files.ts";
import { readLabels } from "./labels.ts";
import { jailbreakIndices, readTags } from "./meanings.ts";
import type { OwnModelSpec } from "./own.ts";
import { Misfit } from "./tokenizer/part.ts";

/** What is wrong with the files of each model, as far as that goes without opening its graph. */
export function faultsOf(models: readonly OwnModelSpec[]): string[] {
  return models.flatMap((model) => {
    try {
      check(model);
      return [];
    } catch (error) {
      if (error instanceof Misfit)
        return [model.key === undefined ? error.message : `${model.key}: ${error.message}`];
      throw error;
    }
  });
}

function check({ task, dir, mappingPath }: OwnModelSpec): void {
  const { config, configPath } = readModelFiles(dir);
  if (task === "embedding") return;
  const labels = readLabels(task, config, configPath, mappingPath);
  if (task === "jailbreak") jailbreakIndices(labels);
  if (task === "pii") readTags(labels);
}
