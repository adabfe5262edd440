import {
  type JsonMember,
  type JsonNode,
  type JsonObject,
  type JsonString,
  member,
  stringValue,
} from "./json.ts";
import { readContent } from "./request-content.ts";
import { ChatFault, optional, optionalText, required } from "./request-fault.ts";
import {
  type Conversation,
  isLabel,
  isToken,
  saysSomething,
  stringsIn,
  type Utterance,
  withoutEscapes,
} from "./request-text.ts";

/** Extension fields of messages that models read; their names may stand in a `where`, others are the client's words. */
const KNOWN_FIELDS = new Set(["reasoning_content", "reasoning", "thinking", "audio", "annotations"]);

/** Reads `messages`. Throws `ChatFault`: `missing_field`, `wrong_type`, `no_messages`, `no_user_text`. */
export function readMessages(node: JsonNode | undefined, bytes: Uint8Array): Conversation {
  const messages = required(node, "array", "messages").items;
  if (messages.length === 0) {
    throw new ChatFault("no_messages", "`messages` is empty: send at least one message.", "messages");
  }
  const reader = new MessageReader(bytes);
  for (const [i, one] of messages.entries()) reader.read(one, `messages[${i}]`);
  return reader.conversation();
}

class MessageReader {
  readonly #bytes: Uint8Array;
  readonly #utterances: Utterance[] = [];
  #lastUser = -1;
  #lastUserStrings: readonly JsonString[] = [];
  #lastTurnIsText = false;
  #hasImages = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(node: JsonNode, where: string): void {
    const message = required(node, "object", where);
    const sent = stringValue(required(member(message, "role"), "string", `${where}.role`), this.#bytes);
    const role = isToken(sent) ? sent : "other";
    this.#lastTurnIsText = false;
    // Chat templates write the role out, so one that is no plain word is a place to hide text.
    if (role !== sent) this.#say(role, sent, `${where}.role`);
    for (const one of message.members) this.#field(one, role, where);
  }

  conversation(): Conversation {
    if (this.#lastUser < 0) {
      const message =
        "No user message holds text: send a message with the role `user` and text in its `content`.";
      throw new ChatFault("no_user_text", message, "messages");
    }
    return {
      utterances: this.#utterances,
      lastUser: this.#lastUser,
      lastUserStrings: this.#lastUserStrings,
      lastTurnIsText: this.#lastTurnIsText,
      hasImages: this.#hasImages,
    };
  }

  #field({ key, value }: JsonMember, role: string, message: string): void {
    const where = `${message}.${key}`;
    switch (key) {
      case "role":
        break;
      case "content":
        this.#content(value, role, where);
        break;
      case "name":
      case "refusal":
        this.#say(role, optionalText(value, this.#bytes, where) ?? "", where);
        break;
      case "tool_call_id":
        optional(value, "string", where);
        this.#sayAll(role, value, where, key);
        break;
      case "tool_calls":
        for (const [i, call] of optional(value, "array", where)?.items.entries() ?? []) {
          this.#toolCall(required(call, "object", `${where}[${i}]`), role, `${where}[${i}]`);
        }
        break;
      case "function_call":
        this.#call(optional(value, "object", where), role, where);
        break;
      default:
        this.#sayAll(role, value, KNOWN_FIELDS.has(key) ? where : message, key);
    }
  }

  #content(node: JsonNode, role: string, where: string): void {
    const content = readContent(node, this.#bytes, where);
    this.#hasImages ||= content.hasImages;
    if (role === "user" && saysSomething(content.text)) {
      this.#lastUser = this.#utterances.length;
      this.#lastUserStrings = content.strings;
      this.#lastTurnIsText = content.onlyText;
    }
    this.#say(role, content.text, content.where);
    for (const other of content.others) this.#say(role, other.text, other.where);
  }

  #toolCall(call: JsonObject, role: string, where: string): void {
    for (const { key, value } of call.members) {
      if (key === "function")
        this.#call(optional(value, "object", `${where}.function`), role, `${where}.function`);
      else this.#sayAll(role, value, key === "custom" ? `${where}.custom` : where, key);
    }
  }

  /** `{ name, arguments }` of a tool call or of a `function_call`. */
  #call(call: JsonObject | undefined, role: string, where: string): void {
    for (const { key, value } of call?.members ?? []) {
      if (key === "name" || key === "arguments") {
        const text = optionalText(value, this.#bytes, `${where}.${key}`) ?? "";
        this.#say(role, key === "arguments" ? withoutEscapes(text) : text, `${where}.${key}`);
      } else {
        this.#sayAll(role, value, where, key);
      }
    }
  }

  /** Every string of a field that we know nothing about, as one text. */
  #sayAll(role: string, node: JsonNode, where: string, key: string): void {
    const own = isToken(key) ? [] : [key];
    this.#say(role, [...own, ...stringsIn(node, this.#bytes, isLabel, key)].join("\n"), where);
  }

  #say(role: string, text: string, where: string): void {
    if (text !== "") this.#utterances.push({ role, text, where });
  }
}
