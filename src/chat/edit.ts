import { type JsonMember, type JsonNode, type JsonObject, member, stringValue } from "./json.ts";
import type { Chat } from "./request.ts";

export interface Changes {
  readonly model?: string;
  /** An empty text changes nothing. Ignored where `acceptsSystemPrompt` is false. */
  readonly systemPrompt?: { readonly text: string; readonly mode: "replace" | "insert" };
  readonly reasoning?: /** Sets `chat_template_kwargs.<parameter>`, keeps the other kwargs, removes `reasoning_effort`. */
    | { readonly kind: "chat_template_kwargs"; readonly parameter: string; readonly enabled: boolean }
    /** Sets `reasoning_effort`. */
    | { readonly kind: "reasoning_effort"; readonly effort: string }
    /** Removes `reasoning_effort`. */
    | { readonly kind: "none" };
}

/** The bytes from `start` up to `end` (exclusive) give way to `text`. */
interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A completion request has no place for one. */
export function acceptsSystemPrompt(chat: Chat): boolean {
  return chat.endpoint === "chat";
}

/**
 * The request body with the changes made in place: every byte outside the changed values stays, with its key order,
 * white space and spelling. Gives `chat.bytes` itself when nothing changes. The result is valid JSON.
 */
export function editChat(chat: Chat, changes: Changes): Uint8Array {
  const splices = splicesFor(chat, changes);
  if (splices.length === 0) return chat.bytes;
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { start, end, text } of splices) {
    parts.push(chat.bytes.subarray(at, start), Buffer.from(text));
    at = end;
  }
  parts.push(chat.bytes.subarray(at));
  return Buffer.concat(parts);
}

/** In the order of the text and without overlap. */
function splicesFor(chat: Chat, changes: Changes): Splice[] {
  const splices: Splice[] = [];
  if (changes.model !== undefined) splices.push(...setString(chat, "model", changes.model));
  if (changes.systemPrompt && changes.systemPrompt.text !== "" && acceptsSystemPrompt(chat)) {
    splices.push(...setSystemPrompt(chat, changes.systemPrompt));
  }
  switch (changes.reasoning?.kind) {
    case "chat_template_kwargs":
      splices.push(...remove(chat.root, "reasoning_effort"));
      splices.push(...setKwarg(chat.root, changes.reasoning.parameter, changes.reasoning.enabled));
      break;
    case "reasoning_effort":
      splices.push(...setString(chat, "reasoning_effort", changes.reasoning.effort));
      break;
    case "none":
      splices.push(...remove(chat.root, "reasoning_effort"));
  }
  // Stable: what is appended to an object comes after the removal that ends at the same byte.
  return splices.sort((a, b) => a.start - b.start || a.end - b.end);
}

function setSystemPrompt(chat: Chat, prompt: { text: string; mode: "replace" | "insert" }): Splice[] {
  const messages = member(chat.root, "messages");
  const first = messages?.kind === "array" ? messages.items[0] : undefined;
  if (messages === undefined || first?.kind !== "object") return [];
  const role = member(first, "role");
  if (role?.kind !== "string" || stringValue(role, chat.bytes) !== "system") {
    return [insertAt(messages.start + 1, `{"role":"system","content":${JSON.stringify(prompt.text)}},`)];
  }
  const content = member(first, "content");
  if (content === undefined) return [append(first, "content", JSON.stringify(prompt.text))];
  if (prompt.mode === "insert" && content.kind === "string") {
    return [insertAt(content.start + 1, JSON.stringify(`${prompt.text}\n\n`).slice(1, -1))];
  }
  if (prompt.mode === "insert" && content.kind === "array") {
    const part = `{"type":"text","text":${JSON.stringify(prompt.text)}}`;
    return [insertAt(content.start + 1, content.items.length > 0 ? `${part},` : part)];
  }
  return replaceString(content, prompt.text, chat.bytes);
}

function setString({ root, bytes }: Chat, key: string, text: string): Splice[] {
  const value = member(root, key);
  return value ? replaceString(value, text, bytes) : [append(root, key, JSON.stringify(text))];
}

function setKwarg(root: JsonObject, parameter: string, enabled: boolean): Splice[] {
  const kwargs = member(root, "chat_template_kwargs");
  const whole = `{${JSON.stringify(parameter)}:${enabled}}`;
  if (kwargs === undefined) return [append(root, "chat_template_kwargs", whole)];
  if (kwargs.kind !== "object") return [replace(kwargs, whole)];
  const value = member(kwargs, parameter);
  if (value === undefined) return [append(kwargs, parameter, String(enabled))];
  return value.kind === "boolean" && value.value === enabled ? [] : [replace(value, String(enabled))];
}

/** The member goes with the one comma that parted it from its neighbour: the one before it, if there is one. */
function remove(object: JsonObject, key: string): Splice[] {
  const { members } = object;
  const i = members.findIndex((one: JsonMember) => one.key === key);
  const found = members[i];
  if (found === undefined) return [];
  const before = members[i - 1];
  if (before) return [{ start: before.value.end, end: found.value.end, text: "" }];
  return [{ start: found.keyStart, end: members[i + 1]?.keyStart ?? found.value.end, text: "" }];
}

function append(object: JsonObject, key: string, json: string): Splice {
  const last = object.members.at(-1);
  const pair = `${JSON.stringify(key)}:${json}`;
  return last ? insertAt(last.value.end, `,${pair}`) : insertAt(object.start + 1, pair);
}

function insertAt(start: number, text: string): Splice {
  return { start, end: start, text };
}

function replace(node: JsonNode, text: string): Splice {
  return { start: node.start, end: node.end, text };
}

function replaceString(node: JsonNode, text: string, bytes: Uint8Array): Splice[] {
  if (node.kind === "string" && stringValue(node, bytes) === text) return [];
  return [replace(node, JSON.stringify(text))];
}
