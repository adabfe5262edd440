import type { Static } from "@sinclair/typebox";
import { section } from "./kinds.ts";
import { bert_model, semantic_cache } from "./slices/cache.ts";
import { categories, keyword_rules } from "./slices/categories.ts";
import { classifier, prompt_guard } from "./slices/detectors.ts";
import * as models from "./slices/models.ts";
import * as service from "./slices/service.ts";
import { observability } from "./slices/tracing.ts";

/** Every key the router reads. Types, defaults, validation, the reference page and the editors' schema come from here. */
export const schema = section("Configuration of the semantic router.", {
  server: service.server,
  admin: service.admin,
  limits: service.limits,
  inference: service.inference,
  vllm_endpoints: models.vllm_endpoints,
  model_config: models.model_config,
  default_model: models.default_model,
  auto_model_name: models.auto_model_name,
  include_config_models_in_list: models.include_config_models_in_list,
  reasoning_families: models.reasoning_families,
  default_reasoning_effort: models.default_reasoning_effort,
  categories,
  keyword_rules,
  classifier,
  prompt_guard,
  security: service.security,
  bert_model,
  semantic_cache,
  routing: service.routing,
  clear_route_cache: service.clear_route_cache,
  observability,
  logging: service.logging,
});

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** The effective configuration: checked, defaults filled in, never changed after load. */
export type Config = DeepReadonly<Static<typeof schema>>;

export type Endpoint = Config["vllm_endpoints"][number];
export type Model = Config["model_config"][string];
export type Category = Config["categories"][number];
export type ModelScore = Category["model_scores"][number];
export type KeywordRule = Config["keyword_rules"][number];
export type ReasoningFamily = Config["reasoning_families"][string];
export type Tracing = Config["observability"]["tracing"];
