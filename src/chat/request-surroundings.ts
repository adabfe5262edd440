import type { Chat } from "./request.ts";
import { isLabel, isToken, saysSomething, stringsIn, type Utterance } from "./request-text.ts";

/** Read by `readChat`, or by no model. */
const NOT_SURROUNDING = new Set(
  "messages prompt suffix model stream stream_options user stop logit_bias prompt_cache_key safety_identifier".split(
    " ",
  ),
);

/** May stand in a `where`; any other field name is the client's own words. */
const KNOWN_FIELDS = new Set(
  "tools functions documents chat_template chat_template_kwargs prediction response_format metadata".split(
    " ",
  ),
);

/**
 * Text outside the conversation that a model may read as well: tool definitions, documents, chat templates, output
 * schemas and every other top-level field: single words too, for a value may be personal data and words add up. One text per field, its strings joined by
 * "\n", with the role `surroundings`. Not part of `utterances`, for tool definitions can outweigh a conversation.
 */
export function surroundingTexts(chat: Chat): Utterance[] {
  const handled = new Set(NOT_SURROUNDING);
  // A `prompt` in a chat request, or `messages` in a completion request, was read by nobody.
  for (const key of chat.endpoint === "chat" ? ["prompt", "suffix"] : ["messages"]) handled.delete(key);
  const texts: Utterance[] = [];
  for (const { key, value } of chat.root.members) {
    if (handled.has(key)) continue;
    const own = key === "" || isToken(key) ? [] : [key];
    const text = [...own, ...stringsIn(value, chat.bytes, isLabel)].join("\n");
    const where = KNOWN_FIELDS.has(key) ? key : "another field";
    if (saysSomething(text)) texts.push({ role: "surroundings", text, where });
  }
  return texts;
}
