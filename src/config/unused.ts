// Keys of vLLM Semantic Router v0.1 that do nothing here. They load, so that its files do, but each one is named with
// what happens instead: a key that is silently ignored is a setting its author believes in.

/** A key without effect. Both texts follow a colon; neither ends with a full stop. */
export interface Unused {
  /** What its author may take it to do; where v0.1 itself does not do that, it says so. */
  readonly believed: string;
  /** What happens here. */
  readonly here: string;
}

const onCpu = {
  believed: "runs this model on the CPU where `true`, and on a GPU where `false`",
  here: "not used: every model runs on the CPU",
};
const saysItself = (believed: string): Unused => ({
  believed,
  here: "not used: what a model is, its own config.json says",
});
const modernBert = saysItself("loads this model as ModernBERT where `true`, and as BERT where `false`");
const indexed = (believed: string): Unused => ({
  believed: `${believed}; v0.1 does not read it either, its memory cache is searched entry by entry`,
  here: "not used: the memory cache indexes itself as its size asks for",
});
const noEffectThere = (believed: string): Unused => ({
  believed: `${believed}; v0.1 reads it nowhere`,
  here: "not used: v0.1 reads it nowhere either",
});

/** By key (`*` for any entry of a list or table). Inner keys of a key listed here go with it. */
export const unusedKeys: Readonly<Record<string, Unused>> = {
  "bert_model.use_cpu": onCpu,
  "classifier.category_model.use_cpu": onCpu,
  "classifier.category_model.use_modernbert": modernBert,
  "classifier.pii_model.use_cpu": onCpu,
  "classifier.pii_model.use_modernbert": saysItself("loads this model as ModernBERT; v0.1 does not read it"),
  "prompt_guard.use_cpu": onCpu,
  "prompt_guard.use_modernbert": modernBert,
  "semantic_cache.embedding_model": {
    believed: "chooses the model that embeds for the cache: `bert`, `qwen3` or `gemma`",
    here: "not used: `bert_model.model_id` names a model of your own",
  },
  embedding_models: {
    believed: "names the models of the embedding API, which the cache may use as well",
    here: "not implemented: the embedded model makes every embedding, or the one at `bert_model.model_id`",
  },
  tools: {
    believed:
      "replaces the tools of a request with `tool_choice: auto` by those whose description is nearest to it",
    here: "not implemented: a client's tools are passed on unchanged",
  },
  api: {
    believed: "sets the metrics of the batch classification API; of its limits v0.1 reads none",
    here: "not implemented: there is no HTTP classification API",
  },
  "classifier.mcp_category_model": {
    believed: "asks a classifier outside the router for the category, over MCP",
    here: "not implemented: categories come from keyword_rules and the embedded model",
  },
  "semantic_cache.backend_config_path": {
    believed: "names the settings of the Milvus backend, which needs them; the memory backend reads no file",
    here: "not used: the memory cache needs no file of its own",
  },
  "semantic_cache.use_hnsw": indexed("searches the memory cache by an HNSW graph"),
  "semantic_cache.hnsw_m": indexed("sets how many neighbours an entry has in the HNSW graph"),
  "semantic_cache.hnsw_ef_construction": indexed("sets how thoroughly the HNSW graph is built"),
  "semantic_cache.max_memory_entries": {
    believed: "bounds the entries that the hybrid cache holds in memory; v0.1 does not read it",
    here: "not used: `semantic_cache.max_entries` bounds the cache",
  },
  "classifier.keyword_rules": {
    believed:
      "routes by keywords, or by regular expressions; v0.1 reads rules at the top level only, and escapes them",
    here: "not used here: rules are read from `keyword_rules` at the top level",
  },
  "classifier.enabled": noEffectThere("switches classification on"),
  "classifier.model_path": noEffectThere("names the category classifier's directory"),
  "classifier.tokenizer_path": noEffectThere("names the category classifier's tokenizer"),
  router: {
    believed:
      "tunes the choice between LoRA and other classifiers; v0.1 does not read it, its native library may, from config/config.yaml",
    here: "not used: there is one classifier, and nothing to choose between",
  },
  "vllm_endpoints.*.health_check_path": {
    believed: "has the endpoint's health checked there, and sick ones avoided; v0.1 checks none",
    here: "not used: Envoy checks the health of its clusters",
  },
  "model_config.*.use_reasoning": {
    believed: "switches reasoning on for the model wherever it is chosen; v0.1 does not read it",
    here: "not used: `use_reasoning` stands at each of a category's `model_scores`",
  },
};

/** What a warning says of the key at this place of the schema; undefined for keys nobody knows. */
export const unused = (pattern: string): string | undefined => unusedAt(pattern)?.here;

export const unusedAt = (pattern: string): Unused | undefined =>
  Object.hasOwn(unusedKeys, pattern) ? unusedKeys[pattern] : undefined;
