import { isUtf8 } from "node:buffer";
import {
  asBuffer,
  firstNotUtf8,
  hasWord,
  keyText,
  StringScanner,
  scanNumber,
  skipSpace,
} from "./json-scan.ts";

/** `start` and `end` are byte offsets into the text, `end` exclusive; strings include their quotes. */
interface Span {
  readonly start: number;
  readonly end: number;
}

export interface JsonObject extends Span {
  readonly kind: "object";
  /** In the order of the text; no two have the same key. */
  readonly members: readonly JsonMember[];
}

export interface JsonMember {
  /** Unescaped. */
  readonly key: string;
  /** Byte offset of the key's opening quote. */
  readonly keyStart: number;
  readonly value: JsonNode;
}

export interface JsonArray extends Span {
  readonly kind: "array";
  readonly items: readonly JsonNode[];
}

export interface JsonString extends Span {
  readonly kind: "string";
  /** Whether a backslash stands in it. */
  readonly escaped: boolean;
}

export interface JsonNumber extends Span {
  readonly kind: "number";
}

export interface JsonBoolean extends Span {
  readonly kind: "boolean";
  readonly value: boolean;
}

export interface JsonNull extends Span {
  readonly kind: "null";
}

export type JsonNode = JsonObject | JsonArray | JsonString | JsonNumber | JsonBoolean | JsonNull;

/** Why a text was refused. The message holds the code and the byte offset, never anything of the text. */
export class JsonError extends Error {
  readonly code: "empty" | "not_utf8" | "syntax" | "duplicate_key" | "too_deep";
  readonly offset: number;
  constructor(code: JsonError["code"], offset: number) {
    super(`${code} at byte ${offset}`);
    this.name = "JsonError";
    this.code = code;
    this.offset = offset;
  }
}

/**
 * Reads one JSON text into a tree of byte spans, so that an edit can splice and keep every other byte.
 * Accepts what `JSON.parse` accepts of the UTF-8 bytes (a byte order mark is refused), but for keys that an object
 * repeats and for more than `maxDepth` (default 128, at most 1000) arrays and objects inside one another.
 * Throws `JsonError`; `empty` also for nothing but white space.
 */
export function parseJson(bytes: Uint8Array, options: { readonly maxDepth?: number } = {}): JsonNode {
  if (!isUtf8(bytes)) throw new JsonError("not_utf8", firstNotUtf8(bytes));
  return new Reader(bytes, Math.min(options.maxDepth ?? 128, 1000)).read();
}

/** Value of the member `key`; undefined when `node` is no object or has no such member. */
export function member(node: JsonNode | undefined, key: string): JsonNode | undefined {
  if (node?.kind !== "object") return undefined;
  for (const one of node.members) if (one.key === key) return one.value;
  return undefined;
}

/** The string without quotes and escapes. `bytes` is the text that `node` was read from. */
export function stringValue(node: JsonString, bytes: Uint8Array): string {
  const text = asBuffer(bytes);
  if (!node.escaped) return text.toString("utf8", node.start + 1, node.end - 1);
  return JSON.parse(text.toString("utf8", node.start, node.end)) as string;
}

/** The number as it is spelt, e.g. `1.0` or `1e400`. */
export function numberText(node: JsonNumber, bytes: Uint8Array): string {
  return asBuffer(bytes).toString("latin1", node.start, node.end);
}

/** From this many members on, a set finds a repeated key faster than a look through the members. */
const MANY_MEMBERS = 12;

class Reader {
  readonly #bytes: Uint8Array;
  readonly #maxDepth: number;
  readonly #strings: StringScanner;
  #at = 0;

  constructor(bytes: Uint8Array, maxDepth: number) {
    this.#bytes = bytes;
    this.#strings = new StringScanner(bytes);
    this.#maxDepth = maxDepth;
  }

  read(): JsonNode {
    const { length } = this.#bytes;
    if (skipSpace(this.#bytes, 0) === length) throw new JsonError("empty", 0);
    const node = this.#value(0);
    if (this.#next() !== undefined) throw new JsonError("syntax", this.#at);
    return node;
  }

  /** Moves to the next byte that is not white space and gives it; undefined at the end. */
  #next(): number | undefined {
    this.#at = skipSpace(this.#bytes, this.#at);
    return this.#at < this.#bytes.length ? this.#bytes[this.#at] : undefined;
  }

  #value(depth: number): JsonNode {
    const first = this.#next();
    switch (first) {
      case 0x22:
        return this.#string();
      case 0x7b:
        return this.#object(depth + 1);
      case 0x5b:
        return this.#array(depth + 1);
      case 0x74:
        return { kind: "boolean", ...this.#word("true"), value: true };
      case 0x66:
        return { kind: "boolean", ...this.#word("false"), value: false };
      case 0x6e:
        return { kind: "null", ...this.#word("null") };
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    const start = this.#open(depth);
    const members: JsonMember[] = [];
    let seen: Set<string> | undefined;
    if (this.#next() !== 0x7d) {
      for (;;) {
        if (this.#next() !== 0x22) throw new JsonError("syntax", this.#at);
        const keyStart = this.#at;
        const key = this.#key(this.#string());
        if (members.length >= MANY_MEMBERS) seen ??= new Set(members.map((one) => one.key));
        const repeated = seen === undefined ? members.some((one) => one.key === key) : seen.has(key);
        if (repeated) throw new JsonError("duplicate_key", keyStart);
        seen?.add(key);
        if (this.#next() !== 0x3a) throw new JsonError("syntax", this.#at);
        this.#at++;
        members.push({ key, keyStart, value: this.#value(depth) });
        if (this.#next() !== 0x2c) break;
        this.#at++;
      }
    }
    return { kind: "object", start, end: this.#close(0x7d), members };
  }

  #array(depth: number): JsonArray {
    const start = this.#open(depth);
    const items: JsonNode[] = [];
    if (this.#next() !== 0x5d) {
      for (;;) {
        items.push(this.#value(depth));
        if (this.#next() !== 0x2c) break;
        this.#at++;
      }
    }
    return { kind: "array", start, end: this.#close(0x5d), items };
  }

  #open(depth: number): number {
    if (depth > this.#maxDepth) throw new JsonError("too_deep", this.#at);
    return this.#at++;
  }

  #close(bracket: number): number {
    if (this.#next() !== bracket) throw new JsonError("syntax", this.#at);
    return ++this.#at;
  }

  #string(): JsonString {
    const start = this.#at;
    const strings = this.#strings;
    strings.scan(start);
    if (strings.fault) throw new JsonError("syntax", strings.end);
    this.#at = strings.end;
    return { kind: "string", start, end: strings.end, escaped: strings.escaped };
  }

  #key(node: JsonString): string {
    if (node.escaped) return stringValue(node, this.#bytes);
    return keyText(this.#bytes, node.start + 1, node.end - 1);
  }

  #number(): JsonNumber {
    const start = this.#at;
    const end = scanNumber(this.#bytes, start);
    if (end < 0) throw new JsonError("syntax", start);
    this.#at = end;
    return { kind: "number", start, end };
  }

  #word(word: string): Span {
    const start = this.#at;
    if (!hasWord(this.#bytes, start, word)) throw new JsonError("syntax", start);
    this.#at += word.length;
    return { start, end: this.#at };
  }
}
