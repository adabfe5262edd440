import type { LlmEndpoint } from "../chat/request.ts";
import { type Headers, names } from "./headers.ts";

/** What a request is for, as its method and path say. */
export type Target =
  | { readonly kind: "llm"; readonly endpoint: LlmEndpoint }
  | { readonly kind: "embeddings" }
  | { readonly kind: "models" }
  | { readonly kind: "other" }
  /** WebSocket and the like: its body never ends, so Envoy must not wait for it. */
  | { readonly kind: "upgrade" }
  /** Asks a model server to generate text by a door whose requests cannot be read here. */
  | { readonly kind: "unguarded" }
  /** A guarded path in a spelling that a model server may take for it. */
  | { readonly kind: "disguised" };

const guarded: Record<string, Target> = {
  "/v1/chat/completions": { kind: "llm", endpoint: "chat" },
  "/v1/completions": { kind: "llm", endpoint: "completions" },
};

/** Where vLLM, and servers that speak as it does, generate text as well; what lies below such a path included. */
const otherDoors = [
  "/v1/chat",
  "/v1/completions",
  "/v1/responses",
  "/v1/messages",
  "/chat/completions",
  "/completions",
  "/completion",
  "/infill",
  "/invocations",
  "/generate",
  "/generate_stream",
  "/inference",
  "/api/chat",
  "/api/generate",
];

/** Methods by which nothing is asked of a model. */
const harmless = new Set(["GET", "HEAD", "OPTIONS"]);

export function targetOf(headers: Headers): Target {
  const path = pathOf(headers);
  const exact = path.endsWith("/") ? path.replace(/\/+$/, "") : path;
  const method = headers.get(names.method);
  const upgrade = method === "CONNECT" || headers.get(names.upgrade) !== undefined;
  // What most requests are, spelled as documented.
  if (method === "POST" && !upgrade && Object.hasOwn(guarded, exact)) return guarded[exact]!;
  const asServed = canonical(path);
  if (asServed === undefined) return { kind: "disguised" };
  const asks = !harmless.has(method ?? "");
  // Another spelling, another method or an upgrade: what is left here is not what the API has.
  if (Object.hasOwn(guarded, asServed) && (asServed !== exact || upgrade || asks))
    return { kind: "disguised" };
  if (asks && otherDoors.some((door) => asServed === door || asServed.startsWith(`${door}/`))) {
    return { kind: "unguarded" };
  }
  if (upgrade) return { kind: "upgrade" };
  if (method === "POST") return { kind: exact === "/v1/embeddings" ? "embeddings" : "other" };
  return { kind: method === "GET" && exact === "/v1/models" ? "models" : "other" };
}

/** The path without its query, which may hold anything. */
export const pathOf = (headers: Headers): string => (headers.get(names.path) ?? "").split(/[?#]/, 1)[0] ?? "";

/**
 * The path as the most lenient of model servers may read it: decoded, in lower case, without parameters, blanks, doubled
 * and trailing slashes. Undefined where it holds an encoded control character: some routers match in front of one.
 */
function canonical(path: string): string | undefined {
  let decoded = path;
  // Twice: what stands encoded behind an encoded percent sign is decoded by some chains of servers.
  for (let i = 0; i < 2 && decoded.includes("%"); i += 1) {
    decoded = decoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the very characters to refuse
  if (/[\x00-\x1f\x7f]/.test(decoded)) return undefined;
  return decoded
    .toLowerCase()
    .replace(/;[^/]*/g, "")
    .replace(/[?#].*$/, "")
    .replace(/[\s\\]/g, (blank) => (blank === "\\" ? "/" : ""))
    .replace(/\/+/g, "/")
    .replace(/[/.]$/, "");
}
