import { randomFillSync } from "node:crypto";
import { epochOffsetMs, now } from "./clock.ts";
import type { SpanContext } from "./w3c.ts";

export type AttributeValue = string | number | boolean | readonly string[];
/** Characters. Paths, ids and model names are the client's own text: none may carry a prompt into a trace. */
const longestText = 256;

const mostItems = 32;

function bounded(value: AttributeValue): AttributeValue {
  if (typeof value === "string") return value.length > longestText ? value.slice(0, longestText) : value;
  if (typeof value !== "object") return value;
  return value.slice(0, mostItems).map((item) => item.slice(0, longestText));
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
  #id: string | undefined;

  constructor(name: string, kind: SpanKind, recording: boolean) {
    this.name = name;
    this.kind = kind;
    this.startMs = recording ? now() : 0;
    this.attributes = recording ? [] : none;
    this.#recording = recording;
  }

  /** 16 lower-case hex digits. Made when first asked for: an unsampled exchange needs one at most. */
  get spanId(): string {
    this.#id ??= randomHex(8);
    return this.#id;
  }

  /** Sets an attribute; `undefined` is left out, text is cut. Set twice, the last value counts. */
  set(key: string, value: AttributeValue | undefined): this {
    if (this.#recording && value !== undefined) {
      this.attributes.push(key, bounded(value));
    }
    return this;
  }

  /** Marks the span as failed. The description names a cause and never holds content. */
  fail(description: string): this {
    this.error = description;
    return this;
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
  /** `tracestate` as it goes on upstream; empty if there is none. */
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

  constructor(rootName: string, identity: TraceIdentity) {
    this.identity = identity;
    this.root = new Span(rootName, "server", this.recording);
  }

  get recording(): boolean {
    return this.identity.propagates && (this.identity.flags & 1) === 1;
  }

  /** Opens a child of the root. Whoever opens it ends it, in a `finally`. */
  open(name: string, kind: SpanKind = "internal"): Span {
    const span = new Span(name, kind, this.recording);
    this.children.push(span);
    return span;
  }
}

const pool = Buffer.alloc(8192);
let used = pool.length;

/** Random lower-case hex, from a pool: one call to the system for hundreds of ids. */
export function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const hex = pool.toString("hex", used, used + bytes);
  used += bytes;
  // The specification forbids an id of zeros only.
  return /[1-9a-f]/.test(hex) ? hex : randomHex(bytes);
}
