import type { Config } from "../config/schema.ts";

/** Types of `types` that the model's policy does not allow. A model without an entry has no policy. */
export type DeniedTypes = (model: string, types: readonly string[]) => readonly string[];

export function deniedTypes(models: Config["model_config"]): DeniedTypes {
  return (model, types) => {
    const policy = models[model]?.pii_policy;
    if (!policy || policy.allow_by_default) return [];
    return types.filter((type) => !policy.pii_types_allowed.some((allowed) => allowed === type));
  };
}
