import { choice, flag, item, list, number, optional, share, text } from "../kinds.ts";

const model_scores = list(
  "The models that may answer it; the highest score wins, the first among equals.",
  item("One candidate.", {
    model: text("Key of `model_config`."),
    score: number("How well it answers this category.", { exclusiveMinimum: 0 }),
    use_reasoning: flag("Whether it should reason."),
    lora_name: optional(text("Adapter sent upstream in place of the model's name.")),
    reasoning_effort: optional(text("Effort when it reasons; without it `default_reasoning_effort`.")),
    reasoning_description: optional(text("For people; not read.")),
  }),
  { minItems: 1 },
);

export const categories = list(
  "What requests are about.",
  item("One category.", {
    name: text("Name in headers, spans and `keyword_rules`."),
    description: optional(text("For people; not read.")),
    mmlu_categories: list("Labels of the classifier that mean this category.", text("A label.")),
    model_scores,
    system_prompt: optional(text("System prompt of its requests.")),
    system_prompt_enabled: flag("`false` keeps the prompt from being used.", true),
    system_prompt_mode: choice(
      "`replace` the client's system prompt, or `insert` before it.",
      ["replace", "insert"],
      "replace",
    ),
    semantic_cache_enabled: optional(flag("`false` keeps the category out of the cache.")),
    semantic_cache_similarity_threshold: optional(share("Overrides `semantic_cache.similarity_threshold`.")),
    jailbreak_enabled: optional(
      flag("Switches the prompt guard on or off for it, whatever `prompt_guard.enabled` says."),
    ),
    jailbreak_threshold: optional(share("Overrides `prompt_guard.threshold`.")),
    pii_enabled: optional(flag("`false` switches the detector of personal data off for it.")),
    pii_threshold: optional(share("Overrides `classifier.pii_model.threshold`.")),
  }),
);

export const keyword_rules = list(
  "Words that decide the category before the classifier is asked; the first rule that holds wins.",
  item("One rule.", {
    category: text("Name of a category."),
    operator: choice("Whether all, any or none of the keywords must occur.", ["AND", "OR", "NOR"]),
    keywords: list("Literal words or phrases, matched as whole words.", text("A keyword."), { minItems: 1 }),
    case_sensitive: flag("`true` tells upper from lower case.", false),
  }),
);
