// Keys of vLLM Semantic Router v0.1 that do nothing here. They load, so that its files do, but each one is named with
// what happens instead: a key that is silently ignored is a setting its author believes in.

const onCpu = "not used: every model runs on the CPU";
const saysItself = "not used: what a model is, its own config.json says";
const ownIndex = "not used: the memory cache indexes itself as its size asks for";
const noEffectThere = "not used: v0.1 reads it nowhere either";

/** Key (`*` for any entry of a list or table) to what happens instead. Inner keys of a key listed here go with it. */
export const unusedKeys: Readonly<Record<string, string>> = {
  "bert_model.use_cpu": onCpu,
  "classifier.category_model.use_cpu": onCpu,
  "classifier.category_model.use_modernbert": saysItself,
  "classifier.pii_model.use_cpu": onCpu,
  "classifier.pii_model.use_modernbert": saysItself,
  "prompt_guard.use_cpu": onCpu,
  "prompt_guard.use_modernbert": saysItself,
  "semantic_cache.embedding_model": "not used: `bert_model.model_id` names a model of your own",
  embedding_models:
    "not implemented: the embedded model makes every embedding, or the one at `bert_model.model_id`",
  tools: "not implemented: a client's tools are passed on unchanged",
  api: "not implemented: there is no HTTP classification API",
  "classifier.mcp_category_model":
    "not implemented: categories come from keyword_rules and the embedded model",
  "semantic_cache.backend_config_path": "not used: the memory cache needs no file of its own",
  "semantic_cache.use_hnsw": ownIndex,
  "semantic_cache.hnsw_m": ownIndex,
  "semantic_cache.hnsw_ef_construction": ownIndex,
  "semantic_cache.max_memory_entries": "not used: `semantic_cache.max_entries` bounds the cache",
  "classifier.keyword_rules": "not used here: rules are read from `keyword_rules` at the top level",
  "classifier.enabled": noEffectThere,
  "classifier.model_path": noEffectThere,
  "classifier.tokenizer_path": noEffectThere,
  router: noEffectThere,
  "vllm_endpoints.*.health_check_path": "not used: Envoy checks the health of its clusters",
  "model_config.*.use_reasoning": "not used: `use_reasoning` stands at each of a category's `model_scores`",
};

export const unused = (pattern: string): string | undefined =>
  Object.hasOwn(unusedKeys, pattern) ? unusedKeys[pattern] : undefined;
