import {
  JsonError,
  type JsonNode,
  type JsonObject,
  member,
  numberText,
  parseJson,
  stringValue,
} from "./json.ts";
import { ChatFault, type Malformed, missing, optional, optionalText, required } from "./request-fault.ts";
import { readMessages } from "./request-messages.ts";
import { notText, readPrompt } from "./request-prompt.ts";
import type { Conversation } from "./request-text.ts";

export type { Malformed } from "./request-fault.ts";
export type { Utterance } from "./request-text.ts";

/** `chat`: `/v1/chat/completions`; `completions`: `/v1/completions`. */
export type LlmEndpoint = "chat" | "completions";

/**
 * One chat request: what the client sent, read once. The body itself is only changed by `editChat`.
 * `utterances` holds everything of the conversation that a guard must see: every message and role, content parts,
 * names, refusals, tool calls and their results; or `prompt` and `suffix`.
 */
export interface Chat extends Conversation {
  readonly endpoint: LlmEndpoint;
  /** The body as it came. */
  readonly bytes: Uint8Array;
  readonly root: JsonObject;
  readonly requestedModel: string;
  readonly stream: boolean;
  /** `stream_options.include_usage`. */
  readonly includeUsage: boolean;
  /** Index into `utterances` of the last user turn's text: all its text parts, joined by "\n". */
  readonly lastUser: number;
  /** The conversation ends with the last user turn, and that is made of text only: a semantic cache may compare it. */
  readonly lastTurnIsText: boolean;
  readonly hasImages: boolean;
  /** OpenAI's `user` field. */
  readonly user?: string;
  /** Tokens the answer may have: `max_completion_tokens`, else `max_tokens`, where it is a whole number. */
  readonly maxTokens?: number;
}

/**
 * Reads a request body. Refuses what cannot be understood and checked in full, so that nothing unchecked is forwarded.
 * `maxDepth` (default 128) bounds nested arrays and objects. Never throws on any input.
 */
export function readChat(
  bytes: Uint8Array,
  endpoint: LlmEndpoint,
  options: { readonly maxDepth?: number } = {},
): { readonly kind: "chat"; readonly chat: Chat } | Malformed {
  try {
    return { kind: "chat", chat: toChat(bytes, endpoint, parseJson(bytes, options)) };
  } catch (error) {
    if (error instanceof ChatFault) return error.malformed;
    if (error instanceof JsonError) return fromJsonError(error);
    throw error;
  }
}

/** Whether the client says itself how hard the model shall think: `reasoning_effort` is a string. */
export function hasReasoningEffort(chat: Chat): boolean {
  return member(chat.root, "reasoning_effort")?.kind === "string";
}

/** What a cache shall not tell apart: how the answer is delivered, and to whom (the tenant is the caller's matter). */
const NOT_IN_PARTITION = new Set(["stream", "stream_options", "user"]);

/**
 * Feeds `update` with everything of a request but the last user turn's text: its endpoint and its top-level members
 * in the order of their keys, without `stream`, `stream_options` and `user`. Parts carry their lengths, so requests
 * with equal feeds differ in nothing but that text, in the order and spacing of top-level members, and in those three.
 */
export function partitionInput(chat: Chat, update: (part: string | Uint8Array) => void): void {
  const members = chat.root.members
    .filter((one) => !NOT_IN_PARTITION.has(one.key))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const feed = (start: number, end: number) => {
    update(`${end - start}:`);
    update(chat.bytes.subarray(start, end));
  };
  const first = chat.lastUserStrings[0]?.start ?? -1;
  const holdsLastTurn = (value: JsonNode) => value.start <= first && first < value.end;
  update(`${chat.endpoint} ${members.length};`);
  for (const { key, value } of members) {
    const holes = holdsLastTurn(value) ? chat.lastUserStrings : [];
    // As JSON, because a lone surrogate has no UTF-8 of its own.
    update(`${JSON.stringify(key)} ${holes.length};`);
    let at = value.start;
    for (const hole of holes) {
      feed(at, hole.start);
      at = hole.end;
    }
    feed(at, value.end);
  }
}

function toChat(bytes: Uint8Array, endpoint: LlmEndpoint, root: JsonNode): Chat {
  if (root.kind !== "object") {
    throw new ChatFault("not_an_object", "The request body is no JSON object: send one JSON object.");
  }
  const requestedModel = stringValue(required(member(root, "model"), "string", "model"), bytes);
  if (requestedModel === "") throw missing("model", "the name of a model");
  // vLLM takes a prompt as embeddings here, past every guard.
  if ((member(root, "prompt_embeds")?.kind ?? "null") !== "null") throw notText("prompt_embeds");
  const stream = optional(member(root, "stream"), "boolean", "stream")?.value ?? false;
  const streamOptions = optional(member(root, "stream_options"), "object", "stream_options");
  const usage = member(streamOptions, "include_usage");
  const includeUsage = optional(usage, "boolean", "stream_options.include_usage")?.value ?? false;
  const user = optionalText(member(root, "user"), bytes, "user");
  const inMaxTokens = wholeNumber(root, "max_tokens", bytes);
  const maxTokens = wholeNumber(root, "max_completion_tokens", bytes) ?? inMaxTokens;
  const conversation =
    endpoint === "chat" ? readMessages(member(root, "messages"), bytes) : readPrompt(root, bytes);
  return {
    endpoint,
    bytes,
    root,
    requestedModel,
    stream,
    includeUsage,
    ...conversation,
    ...(user !== undefined && { user }),
    ...(maxTokens !== undefined && { maxTokens }),
  };
}

function wholeNumber(root: JsonObject, key: string, bytes: Uint8Array): number | undefined {
  const node = optional(member(root, key), "number", key);
  const value = node && Number(numberText(node, bytes));
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function fromJsonError(error: JsonError): Malformed {
  const at = `(byte ${error.offset})`;
  switch (error.code) {
    case "empty":
      return {
        kind: "malformed",
        code: "empty_body",
        message: "The request body is empty: send one JSON object.",
      };
    case "not_utf8":
      return {
        kind: "malformed",
        code: "not_utf8",
        message: `The request body is not UTF-8 ${at}: encode it as UTF-8.`,
      };
    case "syntax":
      return {
        kind: "malformed",
        code: "invalid_json",
        message: `The request body is not valid JSON ${at}.`,
      };
    case "duplicate_key":
      return {
        kind: "malformed",
        code: "duplicate_key",
        message: `An object of the request body repeats a key ${at}: send every key once.`,
      };
    case "too_deep":
      return {
        kind: "malformed",
        code: "too_deep",
        message: `The request body is nested too deeply ${at}: nest fewer arrays and objects.`,
      };
  }
}
