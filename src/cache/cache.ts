/** A stored completion, as canonical `chat.completion` / `text_completion` JSON bytes. */
export interface CacheEntry {
  readonly completion: Uint8Array;
  /** Milliseconds since the epoch at which it was stored. */
  readonly storedAt: number;
}

export type Nearest =
  | { readonly kind: "hit"; readonly entry: CacheEntry; readonly similarity: number }
  /** `similarity` of the best entry of the partition, if there is one. */
  | { readonly kind: "miss"; readonly similarity?: number };

/** Completions found by meaning. A partition is an opaque key: only entries of the same partition are compared. */
export interface SemanticCache {
  readonly backend: string;
  nearest(
    partition: string,
    embedding: Float32Array,
    threshold: number,
    signal: AbortSignal,
  ): Promise<Nearest>;
  put(partition: string, embedding: Float32Array, completion: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
