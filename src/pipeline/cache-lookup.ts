import { createHmac, createSecretKey, randomBytes, randomUUID } from "node:crypto";
import type { SemanticCache } from "../cache/cache.ts";
import { replayCompletion } from "../chat/replay.ts";
import { type Chat, partitionInput } from "../chat/request.ts";
import type { Config } from "../config/schema.ts";
import type { Trace } from "../telemetry/trace.ts";
import type { Classified } from "./classified.ts";
import type { SharedPass, Waiting } from "./shared-pass.ts";
import { causeOf, elapsedMs, stage } from "./stage.ts";

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

/** Of this process: what the hash is of cannot be tried out from a trace. A reload keeps it, as it keeps the cache. */
const key = createSecretKey(randomBytes(32));

/** Looks for the answer to a question that means the same, asked in an otherwise equal request. */
export function cacheLookup(config: Pick<Config, "semantic_cache">, cache: SemanticCache | undefined) {
  const policy = config.semantic_cache;
  return async (
    chat: Chat,
    asker: Asker,
    classified: Classified | undefined,
    pass: SharedPass,
    at: Trace,
    waiting: Waiting,
  ): Promise<Lookup> => {
    const category = classified?.category;
    const enabled = cache && (category?.semantic_cache_enabled ?? policy.enabled);
    if (!enabled || !chat.lastTurnIsText || chat.hasImages) return { kind: "miss" };
    const threshold = category?.semantic_cache_similarity_threshold ?? policy.similarity_threshold;

    return stage(at, "semantic_router.cache.lookup", async (span) => {
      const partition = partitionOf(chat, asker);
      span
        .set("cache.threshold", threshold)
        .set("cache.backend", cache.backend)
        .set("cache.key", partition)
        .set("category.name", category?.name);
      try {
        const { embedding } = await pass.read();
        const found = await cache.nearest(partition, embedding, threshold, waiting.signal);
        const hit = found.kind === "hit" ? replay(chat, found.entry.completion) : undefined;
        span.set("cache.hit", hit !== undefined).set("cache.similarity", found.similarity);
        if (hit) return { kind: "hit", ...hit };
        return { kind: "miss", store: (completion) => keep(partition, embedding, completion) };
      } catch (error) {
        // The cache saves work and guards nothing: without it the model answers. A client that has gone is no miss.
        if (waiting.signal.aborted) throw error;
        const cause = causeOf(error);
        span.set("cache.hit", false).set("cache.error", cause).set("error.type", cause).fail(cause);
        return { kind: "miss" };
      } finally {
        span.set("cache.lookup_time_ms", elapsedMs(span));
      }
    });
  };

  /** The exchange is over by then: there is nobody left whom a failure would concern. */
  function keep(partition: string, embedding: Float32Array, completion: Uint8Array): void {
    cache?.put(partition, embedding, completion).catch(() => {});
  }

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
