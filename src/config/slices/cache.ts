import { choice, flag, optional, section, share, text, whole } from "../kinds.ts";

export const bert_model = section("The sentence embedding.", {
  threshold: optional(
    share("Similarity for the cache when `semantic_cache.similarity_threshold` is not given."),
  ),
  model_id: optional(
    text("Directory of an embedding model of your own, beginning with `/`, `./` or `../`; no other is used."),
  ),
});

export const semantic_cache = section(
  "Answers a question that was answered before, without asking a model.",
  {
    enabled: flag("Switches the cache on.", false),
    backend_type: choice(
      "Where entries live; only `memory` is available.",
      ["memory", "redis", "milvus", "hybrid"],
      "memory",
    ),
    similarity_threshold: share(
      "Least similarity of a hit; without it `bert_model.threshold`, if that is given.",
      0.94,
    ),
    max_entries: whole("Entries kept before one is evicted; 0 leaves it to the bound of the store itself.", {
      minimum: 0,
      default: 1000,
    }),
    ttl_seconds: whole(
      "Age in seconds after which an entry is dropped, however often it was used; 0 is never.",
      {
        minimum: 0,
        default: 3600,
      },
    ),
    eviction_policy: choice("Which entry goes when the cache is full.", ["fifo", "lru", "lfu"], "fifo"),
    tenant_header: text(
      "Header that separates the caches of tenants, beside `authorization`, `x-api-key` and `api-key`.",
      {
        default: "authorization",
        pattern: "^[a-z0-9!#$%&'*+.^_`|~-]+$",
        patternErrorMessage: "expected a header name in lower case",
      },
    ),
  },
);
