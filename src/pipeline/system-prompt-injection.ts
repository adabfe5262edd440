import { acceptsSystemPrompt, type Changes, editChat } from "../chat/edit.ts";
import { type Chat, hasReasoningEffort } from "../chat/request.ts";
import type { Trace } from "../telemetry/trace.ts";
import type { Decision } from "./decision.ts";
import { stage } from "./stage.ts";

export interface Injected {
  /** None where the client's own body says it all. */
  readonly body: Uint8Array | undefined;
  readonly injected: boolean;
}

/** Writes the decision into the body: the model, how it reasons, and the category's system prompt. */
export const systemPromptInjection =
  () =>
  (chat: Chat, decision: Decision, at: Trace): Injected =>
    stage(at, "semantic_router.system_prompt.injection", (span) => {
      const { category } = decision;
      const text = category?.system_prompt_enabled ? category.system_prompt : undefined;
      const injected = text !== undefined && acceptsSystemPrompt(chat);
      const reasoning = reasoningChange(chat, decision);
      const body = editChat(chat, {
        model: decision.model.name,
        ...(injected && { systemPrompt: { text, mode: category?.system_prompt_mode ?? "replace" } }),
        ...(reasoning && { reasoning }),
      });
      span
        .set("system_prompt.injected", injected)
        .set("system_prompt.mode", injected ? category?.system_prompt_mode : "none")
        .set("category.name", category?.name ?? "");
      return { body: body === chat.bytes ? undefined : body, injected };
    });

/** How the model's family is told to reason or not to; undefined leaves the client's own fields as they are. */
function reasoningChange(
  chat: Chat,
  { reasoning, model: { family } }: Decision,
): Changes["reasoning"] | undefined {
  if (!reasoning) return undefined;
  if (!family) return { kind: "none" };
  if (family.type === "chat_template_kwargs") {
    return family.parameter === undefined
      ? { kind: "none" }
      : { kind: "chat_template_kwargs", parameter: family.parameter, enabled: reasoning.enabled };
  }
  if (reasoning.enabled) return { kind: "reasoning_effort", effort: reasoning.effort };
  // These models cannot be told not to reason: the client's own effort stands, else the least there is.
  return hasReasoningEffort(chat) ? undefined : { kind: "reasoning_effort", effort: "low" };
}
