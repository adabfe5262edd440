import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import type { Chat } from "../chat/request.ts";
import { type Outcome, type Refusal, refusals } from "../outcome.ts";
import type { Trace } from "../telemetry/trace.ts";
import { type Headers, names } from "./headers.ts";
import { pathOf } from "./target.ts";

/** How an exchange ended, as the root's `outcome` tells it. */
export type Ending =
  | "forwarded"
  | "passthrough"
  | "cache_hit"
  | "blocked"
  | "rejected"
  | "aborted"
  | "failed";

/** How the exchange went, for the root span. Written as the script goes; read once, at its end. */
export interface Story {
  ending: Ending;
  reason?: string | undefined;
  status?: number | undefined;
}

/** Writes what is known of the request. Names before 2023 and after stand side by side: dashboards use both. */
export function describeRequest({ root, recording }: Trace, headers: Headers, requestId: string): void {
  if (!recording) return;
  const method = headers.get(names.method);
  const path = pathOf(headers);
  root
    .set("request.id", requestId)
    .set("http.method", method)
    .set("http.path", path)
    .set("http.request.method", method)
    .set("url.path", path);
}

/** Of this process: who a user is cannot be tried out from a trace. */
const key = createSecretKey(randomBytes(32));

/** Writes what the chat says of itself: its model, and its user as a hash. */
export function describeChat({ root, recording }: Trace, chat: Chat): void {
  root.set("routing.original_model", chat.requestedModel);
  if (recording && chat.user)
    root.set("user.id", createHmac("sha256", key).update(chat.user).digest("hex").slice(0, 16));
}

/** @param guarded whether any guard is on; without one nothing was allowed or blocked. */
export function describeOutcome({ root, recording }: Trace, outcome: Outcome, guarded: boolean): void {
  if (!recording) return;
  if (outcome.kind === "refuse") {
    const { refusal } = outcome;
    if (refusal.kind === "pii" || refusal.kind === "jailbreak") root.set("security.action", "blocked");
    else root.set("error.type", reasonOf(refusal));
    if (refusals[refusal.kind].outcome === "failed") root.fail(reasonOf(refusal));
  } else if (outcome.kind === "reply") {
    root.set("cache.hit", true);
  } else if (outcome.selection) {
    const { model, category } = outcome.selection;
    root
      .set("model.name", model)
      .set("routing.selected_model", model)
      .set("category.name", category)
      .set("cache.hit", false)
      .set("security.action", guarded ? "allowed" : undefined);
  }
}

export function reasonOf(refusal: Refusal): string {
  if (refusal.kind === "malformed") return refusal.code;
  return refusal.kind === "guard_failed" ? `${refusal.stage}_${refusal.reason}` : refusals[refusal.kind].code;
}
