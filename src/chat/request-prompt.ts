import { type JsonNode, type JsonObject, type JsonString, member, stringValue } from "./json.ts";
import { ChatFault, missing, optional, wrongType } from "./request-fault.ts";
import { type Conversation, saysSomething, type Utterance } from "./request-text.ts";

/** Reads `prompt` and `suffix`. Throws `ChatFault`: `missing_field`, `wrong_type`, `token_ids`, `no_user_text`. */
export function readPrompt(root: JsonObject, bytes: Uint8Array): Conversation {
  const prompts = promptStrings(member(root, "prompt"));
  const utterances: Utterance[] = [];
  let lastUser = -1;
  let last: JsonString | undefined;
  for (const { node, where } of prompts) {
    const text = stringValue(node, bytes);
    if (saysSomething(text)) {
      lastUser = utterances.length;
      last = node;
    }
    if (text !== "") utterances.push({ role: "user", text, where });
  }
  if (last === undefined) {
    throw new ChatFault("no_user_text", "`prompt` holds no text: send a prompt with text.", "prompt");
  }
  const suffix = optional(member(root, "suffix"), "string", "suffix");
  if (suffix && suffix.end - suffix.start > 2) {
    utterances.push({ role: "user", text: stringValue(suffix, bytes), where: "suffix" });
  }
  const lastTurnIsText = last === prompts.at(-1)?.node;
  return { utterances, lastUser, lastUserStrings: [last], lastTurnIsText, hasImages: false };
}

function promptStrings(prompt: JsonNode | undefined): { node: JsonString; where: string }[] {
  if (prompt === undefined || prompt.kind === "null") throw missing("prompt", "a string");
  if (prompt.kind === "string") return [{ node: prompt, where: "prompt" }];
  if (prompt.kind !== "array") throw wrongType("prompt", "a string or an array of strings");
  if (prompt.items.some((item) => item.kind === "number" || item.kind === "array")) {
    throw notText("prompt");
  }
  return prompt.items.map((node, i) => {
    if (node.kind !== "string") throw wrongType(`prompt[${i}]`, "a string");
    return { node, where: `prompt[${i}]` };
  });
}

/** A prompt that no guard can read. */
export function notText(where: string): ChatFault {
  return new ChatFault(
    "token_ids",
    `\`${where}\` holds no text that can be checked: send the prompt as text.`,
    where,
  );
}
