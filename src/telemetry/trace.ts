import { randomFillSync } from "node:crypto";
import { epochOffsetMs, now } from "./clock.ts";
import type { SpanContext } from "./w3c.ts";

export type AttributeValue = string | number | boolean | readonly string[];
/** Characters. Paths, ids and model names are the client's own text: none may carry a prompt into a trace. */
export const longestText = 256;

const mostItems = 32;

function bounded(value: AttributeValue, longest: number): AttributeValue {
  if (typeof value === "string") return value.length > longest ? value.slice(0, longest) : value;
  if (typeof value !== "object") return value;
  return value.slice(0, mostItems).map((item) => item.slice(0, longest));
}

/** Shared by all spans that record nothing. */
const none: never[] = [];

export type SpanKind = "internal" | "server" | "client";

/**
 * One span of an exchange, as a light record: a name, two clock readings and references.
 * It becomes an OpenTelemetry span after the exchange, outside the request path (docs/decisions/0002).
 */
export class Span {
  readonly name: string;
  readonly kind: SpanKind;
  /** Milliseconds of the monotonic clock; the trace knows how far the epoch is. */
  readonly startMs: number;
  endMs = 0;
  /** Key, value, key, value: pairs are collected, never looked up, in the request path. */
  readonly attributes: (string | AttributeValue)[];
  /** Description of the failure; set means status ERROR. */
  error: string | undefined;
  readonly #recording: boolean;
  readonly #longest: number;
  /** The id, in two halves of 32 bits; both 0 until it is first asked for. */
  #idHigh = 0;
  #idLow = 0;

  /** @param longest characters kept of a text. */
  constructor(name: string, kind: SpanKind, recording: boolean, longest: number) {
    this.name = name;
    this.kind = kind;
    this.startMs = recording ? now() : 0;
    this.attributes = recording ? [] : none;
    this.#recording = recording;
    this.#longest = longest;
  }

  /** 16 lower-case hex digits. Made when first asked for: an unsampled exchange needs one at most. */
  get spanId(): string {
    return hexOf(this.idHigh) + hexOf(this.idLow);
  }

  /** Upper half of the id. */
  get idHigh(): number {
    // The specification forbids an id of zeros only.
    while (this.#idHigh === 0 && this.#idLow === 0) {
      this.#idHigh = randomWord();
      this.#idLow = randomWord();
    }
    return this.#idHigh;
  }

  /** Lower half of the id; ask for the upper one first. */
  get idLow(): number {
    return this.#idLow;
  }

  /** Sets an attribute; `undefined` is left out, text is cut. Set twice, the last value counts. */
  set(key: string, value: AttributeValue | undefined): this {
    if (this.#recording && value !== undefined) {
      this.attributes.push(key, bounded(value, this.#longest));
    }
    return this;
  }

  /** Sets text as long as it is: for what its caller has cut already, and may be longer than names and paths. */
  setContent(key: string, text: string): this {
    if (this.#recording) this.attributes.push(key, text);
    return this;
  }

  /** Marks the span as failed. The description names a cause and never holds content. */
  fail(description: string): this {
    this.error = description;
    return this;
  }

  /** Moves the end of a span that has ended, never before its start. */
  endedAt(atMs: number): void {
    this.endMs = Math.max(this.startMs, atMs);
  }

  /** Ends the span. The first call counts, so a `finally` may close what an exit has closed already. */
  end(atMs = now()): void {
    if (this.endMs === 0) this.endMs = atMs;
  }
}

/** What an exchange is traced as, decided once at its first message. */
export interface TraceIdentity {
  readonly traceId: string;
  readonly parentSpanId?: string | undefined;
  /** W3C trace flags: bit 0 sampled, bit 1 random trace id. */
  readonly flags: number;
  /** `tracestate` as it goes on upstream, which spans record cut (`recordedState`); empty if there is none. */
  readonly state: string;
  /** The other context, where metadata and headers named different traces. */
  readonly link?: SpanContext | undefined;
  /** False when tracing is switched off: then `traceparent` and `tracestate` are left as they are. */
  readonly propagates: boolean;
}

/** The spans of one exchange: one root, all others its children. */
export class Trace {
  readonly identity: TraceIdentity;
  readonly epochOffsetMs = epochOffsetMs();
  readonly root: Span;
  readonly children: Span[] = [];
  /** Attributes of the root that every child is to carry as well, added when the exchange is finished. Key, value, ... */
  shared: string[] | undefined;

  readonly #longest: number;

  /** @param longest characters kept of a text attribute. */
  constructor(rootName: string, identity: TraceIdentity, longest = longestText) {
    this.identity = identity;
    this.#longest = longest;
    this.root = new Span(rootName, "server", this.recording, longest);
  }

  get recording(): boolean {
    return this.identity.propagates && (this.identity.flags & 1) === 1;
  }

  /** Opens a child of the root. Whoever opens it ends it, in a `finally`. */
  open(name: string, kind: SpanKind = "internal"): Span {
    const span = new Span(name, kind, this.recording, this.#longest);
    this.children.push(span);
    return span;
  }
}

const pairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
/** Randomness is drawn for hundreds of ids at once: a call to the system costs more than an id. */
const pool = new Uint32Array(2048);
let used = pool.length;

function randomWord(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const word = pool[used]!;
  used += 1;
  return word;
}

const hexOf = (word: number): string =>
  `${pairs[word >>> 24]}${pairs[(word >>> 16) & 0xff]}${pairs[(word >>> 8) & 0xff]}${pairs[word & 0xff]}`;

/** Random lower-case hex, never zeros only. @param bytes a multiple of four. */
export function randomHex(bytes: number): string {
  let hex = "";
  let any = 0;
  for (let i = 0; i < bytes; i += 4) {
    const word = randomWord();
    any |= word;
    hex += hexOf(word);
  }
  return any !== 0 ? hex : randomHex(bytes);
}
