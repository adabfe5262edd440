import { type JsonNode, type JsonString, numberText, stringValue } from "./json.ts";

/** One text of the conversation that a guard must see. */
export interface Utterance {
  /** The message's role as sent; `other` when it is no plain word. Texts of a completion request: `user`. */
  readonly role: string;
  readonly text: string;
  /** Place in the body, e.g. `messages[3].content[0].text`. Made of field names we know and indices only. */
  readonly where: string;
}

/** What `readChat` learns from the messages or from the prompt. */
export interface Conversation {
  readonly utterances: readonly Utterance[];
  readonly lastUser: number;
  /** The strings whose values, joined by "\n", are the last user turn's text. */
  readonly lastUserStrings: readonly JsonString[];
  readonly lastTurnIsText: boolean;
  readonly hasImages: boolean;
}

/** An identifier or an enum value rather than prose: nothing that a guard could judge. */
export function isToken(text: string): boolean {
  return /^[\w.:-]{1,64}$/.test(text);
}

const LABELS = new Set(["type", "id", "tool_call_id", "call_id", "detail", "format"]);

/** Whether a string stands there as a label, e.g. `"type": "function"`. A label that is no token is text like any. */
export function isLabel(key: string, text: string): boolean {
  return LABELS.has(key) && isToken(text);
}

/**
 * Every string at and below `node`, in the order of the text, without those that `skip` names by their nearest key.
 * Keys that are no tokens count too, for a model reads them as well.
 */
export function stringsIn(
  node: JsonNode,
  bytes: Uint8Array,
  skip: (key: string, text: string) => boolean,
  key = "",
): string[] {
  const found: string[] = [];
  collect(node, bytes, skip, key, found);
  return found;
}

function collect(
  node: JsonNode,
  bytes: Uint8Array,
  skip: (key: string, text: string) => boolean,
  key: string,
  found: string[],
): void {
  if (node.kind === "string") {
    const text = stringValue(node, bytes);
    if (text !== "" && !skip(key, text)) found.push(text);
  } else if (node.kind === "number") {
    // Long enough for a card or an account; a number of that length is nothing else in a request.
    if (node.end - node.start >= 12) found.push(numberText(node, bytes));
  } else if (node.kind === "array") {
    for (const item of node.items) collect(item, bytes, skip, key, found);
  } else if (node.kind === "object") {
    for (const one of node.members) {
      if (one.key !== "" && !isToken(one.key)) found.push(one.key);
      collect(one.value, bytes, skip, one.key, found);
    }
  }
}

/** Whether a text holds anything but white space. */
export function saysSomething(text: string): boolean {
  return /\S/.test(text);
}

const spelled = /\\(?:u([0-9a-fA-F]{4})|([nrtbf/]))/g;

/**
 * Resolves the escapes of JSON that was sent as a string, but for quotes and backslashes: servers parse it, so the model
 * reads what they spell, and `ann\u0040example.com` or `\n4111...` hides from whoever looks for it. White space becomes a
 * blank.
 */
export function withoutEscapes(json: string): string {
  if (!json.includes("\\")) return json;
  return json.replace(spelled, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (letter === "/" ? "/" : " ") : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
