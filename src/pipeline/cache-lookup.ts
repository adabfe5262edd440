import { createHmac, randomBytes, randomUUID } from "node:crypto";
import type { SemanticCache } from "../cache/cache.ts";
import { replayCompletion } from "../chat/replay.ts";
import { type Chat, partitionInput } from "../chat/request.ts";
import type { Config } from "../config/schema.ts";
import type { Trace } from "../telemetry/trace.ts";
import type { Classified } from "./classified.ts";
import type { SharedPass } from "./shared-pass.ts";
import { elapsedMs, stage } from "./stage.ts";

export type Lookup =
  | { readonly kind: "hit"; readonly contentType: string; readonly body: Uint8Array }
  /** `store` puts the completion where the next equal question finds it; none where nothing may be stored. */
  | { readonly kind: "miss"; readonly store?: (completion: Uint8Array) => void };

/** What else parts one client's answers from another's. */
export interface Asker {
  readonly path: string;
  /** Value of the tenant header; only its keyed hash is kept. */
  readonly tenant: string | undefined;
}

/** Looks for the answer to a question that means the same, asked in an otherwise equal request. */
export function cacheLookup(config: Pick<Config, "semantic_cache">, cache: SemanticCache | undefined) {
  const policy = config.semantic_cache;
  // A key of this process: what the hash is of cannot be tried out from a trace.
  const key = randomBytes(32);

  return async (
    chat: Chat,
    asker: Asker,
    classified: Classified | undefined,
    pass: SharedPass,
    at: Trace,
    signal: AbortSignal,
  ): Promise<Lookup> => {
    const category = classified?.category;
    const enabled = cache && (category?.semantic_cache_enabled ?? policy.enabled);
    if (!enabled || !chat.lastTurnIsText || chat.hasImages) return { kind: "miss" };
    const threshold = category?.semantic_cache_similarity_threshold ?? policy.similarity_threshold;

    return stage(at, "semantic_router.cache.lookup", async (span) => {
      const partition = partitionOf(chat, asker);
      const { embedding } = await pass.lastUser();
      const found = await cache.nearest(partition, embedding, threshold, signal);
      span
        .set("cache.hit", found.kind === "hit")
        .set("cache.similarity", found.similarity)
        .set("cache.threshold", threshold)
        .set("cache.backend", cache.backend)
        .set("cache.key", partition)
        .set("category.name", category?.name)
        .set("cache.lookup_time_ms", elapsedMs(span));
      if (found.kind === "hit") return { kind: "hit", ...replay(chat, found.entry.completion) };
      return { kind: "miss", store: (completion) => void cache.put(partition, embedding, completion) };
    });
  };

  function partitionOf(chat: Chat, asker: Asker): string {
    const hash = createHmac("sha256", key);
    const part = (bytes: string | Uint8Array) => hash.update(bytes);
    part(`${asker.path}\n${asker.tenant === undefined ? "-" : `${asker.tenant.length}:${asker.tenant}`}\n`);
    partitionInput(chat, part);
    return hash.digest("hex").slice(0, 32);
  }
}

function replay(chat: Chat, completion: Uint8Array) {
  return replayCompletion(completion, chat.stream ? "sse" : "json", {
    includeUsage: chat.includeUsage,
    id: `${chat.endpoint === "chat" ? "chatcmpl" : "cmpl"}-${randomUUID()}`,
    createdSeconds: Math.floor(Date.now() / 1000),
  });
}
