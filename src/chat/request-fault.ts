import { type JsonNode, type JsonString, stringValue } from "./json.ts";

/** A body that is refused. `message` is for the client: it names the place and the remedy, never content. */
export interface Malformed {
  readonly kind: "malformed";
  readonly code:
    | "empty_body"
    | "not_utf8"
    | "invalid_json"
    | "duplicate_key"
    | "too_deep"
    | "not_an_object"
    | "missing_field"
    | "wrong_type"
    | "no_messages"
    | "no_user_text"
    | "token_ids";
  /** Place in the body, e.g. `messages[0].content`. */
  readonly param?: string;
  readonly message: string;
}

/** Carries a refusal from deep inside a body up to `readChat`, the only place that catches it. */
export class ChatFault extends Error {
  readonly malformed: Malformed;
  constructor(code: Malformed["code"], message: string, param?: string) {
    super(message);
    this.name = "ChatFault";
    this.malformed = { kind: "malformed", code, message, ...(param !== undefined && { param }) };
  }
}

const EXPECTED = {
  object: "an object",
  array: "an array",
  string: "a string",
  number: "a number",
  boolean: "a boolean",
} as const;

type Kind = keyof typeof EXPECTED;
type NodeOf<K extends Kind> = Extract<JsonNode, { kind: K }>;

/** `node` as the wanted kind; undefined when it is absent or null. Throws `ChatFault` (`wrong_type`) else. */
export function optional<K extends Kind>(
  node: JsonNode | undefined,
  kind: K,
  where: string,
): NodeOf<K> | undefined {
  if (node === undefined || node.kind === "null") return undefined;
  if (node.kind !== kind) throw wrongType(where, EXPECTED[kind]);
  return node as NodeOf<K>;
}

/** `node` as the wanted kind. Throws `ChatFault`: `missing_field` when it is absent or null, `wrong_type` else. */
export function required<K extends Kind>(node: JsonNode | undefined, kind: K, where: string): NodeOf<K> {
  const found = optional(node, kind, where);
  if (found === undefined) throw missing(where, EXPECTED[kind]);
  return found;
}

/** The text of an optional string member. */
export function optionalText(
  node: JsonNode | undefined,
  bytes: Uint8Array,
  where: string,
): string | undefined {
  const found: JsonString | undefined = optional(node, "string", where);
  return found && stringValue(found, bytes);
}

export function wrongType(where: string, expected: string): ChatFault {
  return new ChatFault("wrong_type", `\`${where}\` has the wrong type: send ${expected}.`, where);
}

export function missing(where: string, expected: string): ChatFault {
  return new ChatFault("missing_field", `\`${where}\` is missing or empty: send ${expected}.`, where);
}
