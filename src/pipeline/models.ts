import type { Config, Model, ReasoningFamily } from "../config/schema.ts";

/** A model as a request may be sent to it. An adapter keeps its base model's policy, endpoints, family and prices. */
export interface RoutableModel {
  /** Name that is sent upstream: the model's, or the adapter's. */
  readonly name: string;
  /** Key of `model_config`. */
  readonly base: string;
  readonly config: Model | undefined;
  readonly family: (ReasoningFamily & { readonly name: string }) | undefined;
}

/** What a client's model name asks for. */
export type Requested =
  | { readonly kind: "auto" }
  | { readonly kind: "specified"; readonly model: RoutableModel }
  | { readonly kind: "unknown" };

/** Finds models by the names that clients and categories use. */
export function modelDirectory(
  config: Pick<Config, "model_config" | "reasoning_families" | "auto_model_name">,
) {
  const byName = new Map<string, RoutableModel>();
  for (const [base, model] of Object.entries(config.model_config)) {
    for (const name of [base, ...model.loras.map((lora) => lora.name)]) {
      // A base model's own name is not taken by another one's adapter.
      if (name === base || !byName.has(name)) byName.set(name, routable(name, base, model));
    }
  }
  const anyModel = byName.size === 0;

  return {
    /** The model that serves `name` through the base model `base`. */
    routable: (base: string, lora?: string): RoutableModel =>
      routable(lora ?? base, base, config.model_config[base]),
    /** The model that the configuration calls `name`: a base model, or an adapter with its base model's settings. */
    named: (name: string): RoutableModel => byName.get(name) ?? routable(name, name, undefined),
    requested(name: string): Requested {
      if (name === "auto" || name === config.auto_model_name) return { kind: "auto" };
      const model = byName.get(name);
      if (model) return { kind: "specified", model };
      return anyModel ? { kind: "specified", model: routable(name, name, undefined) } : { kind: "unknown" };
    },
  };

  function routable(name: string, base: string, model: Model | undefined): RoutableModel {
    const familyName = model?.reasoning_family;
    const family = familyName === undefined ? undefined : config.reasoning_families[familyName];
    return { name, base, config: model, family: family && { ...family, name: familyName! } };
  }
}

export type ModelDirectory = ReturnType<typeof modelDirectory>;
