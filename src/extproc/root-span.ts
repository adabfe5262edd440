import type { Chat } from "../chat/request.ts";
import { type Outcome, type Refusal, refusals } from "../outcome.ts";
import type { Trace } from "../telemetry/trace.ts";
import { type Headers, names } from "./headers.ts";
import type { Service } from "./service.ts";
import { pathOf } from "./target.ts";

/** What a service says about who asks and what else is worth a note. */
type Observed = Pick<Service, "customAttributes" | "userHeader" | "userId">;

/** Writes what is known of the request. Names before 2023 and after stand side by side: dashboards use both. */
export function describeRequest(
  at: Trace,
  headers: Headers,
  requestId: string,
  { customAttributes, userHeader, userId }: Observed,
): void {
  if (!at.recording) return;
  const method = headers.get(names.method);
  const path = pathOf(headers);
  at.root
    .set("request.id", requestId)
    .set("http.method", method)
    .set("http.path", path)
    .set("http.request.method", method)
    .set("url.path", path);
  if (userHeader !== undefined) at.root.set("user.id", userId(headers.get(userHeader) ?? ""));
  customAttributes(at, (name) => headers.get(name));
}

/** Writes what the chat says of itself: its model, and its user, unless a header names that one. */
export function describeChat({ root, recording }: Trace, chat: Chat, { userHeader, userId }: Observed): void {
  if (!recording) return;
  root.set("routing.original_model", chat.requestedModel);
  if (userHeader === undefined) root.set("user.id", userId(chat.user ?? ""));
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
