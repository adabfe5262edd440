import type { LlmEndpoint } from "../chat/request.ts";
import { type Headers, names } from "./headers.ts";

/** What a request is for, as its method and path say. */
export type Target =
  | { readonly kind: "llm"; readonly endpoint: LlmEndpoint }
  | { readonly kind: "embeddings" }
  | { readonly kind: "models" }
  | { readonly kind: "other" }
  /** WebSocket and the like: its body never ends, so Envoy must not wait for it. */
  | { readonly kind: "upgrade" };

const posts: Record<string, Target> = {
  "/v1/chat/completions": { kind: "llm", endpoint: "chat" },
  "/v1/completions": { kind: "llm", endpoint: "completions" },
  "/v1/embeddings": { kind: "embeddings" },
};

export function targetOf(headers: Headers): Target {
  const method = headers.get(names.method);
  if (method === "CONNECT" || headers.get(names.upgrade) !== undefined) return { kind: "upgrade" };
  const path = pathOf(headers).replace(/\/+$/, "");
  if (method === "POST") return posts[path] ?? { kind: "other" };
  return method === "GET" && path === "/v1/models" ? { kind: "models" } : { kind: "other" };
}

/** The path without its query, which may hold anything. */
export const pathOf = (headers: Headers): string => (headers.get(names.path) ?? "").split(/[?#]/, 1)[0] ?? "";
