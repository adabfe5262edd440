/**
 * The answer to `GET /v1/models` as JSON bytes: `autoName` first, then `models` in the order given, each name once.
 * `createdSeconds`: unix seconds, of every entry.
 */
export function modelList(autoName: string, models: readonly string[], createdSeconds: number): Uint8Array {
  const names = [...new Set([autoName, ...models])];
  const data = names.map((id) => ({
    id,
    object: "model",
    created: createdSeconds,
    owned_by: "vllm-semantic-router",
  }));
  return new TextEncoder().encode(JSON.stringify({ object: "list", data }));
}
