import assert from "node:assert/strict";
import { type Chat, type LlmEndpoint, readChat } from "../../src/chat/request.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { Category, Config } from "../../src/config/schema.ts";
import type { Effort, Encode, Entity, Wants } from "../../src/models/encode.ts";
import type { Classified } from "../../src/pipeline/classified.ts";
import { type SharedPass, sharedPass } from "../../src/pipeline/shared-pass.ts";
import { type Span, Trace, type TraceIdentity } from "../../src/telemetry/trace.ts";
import { noEffort } from "./fake-encoder.ts";

export const configOf = (yaml: string): Config => parseConfig(yaml).config;

export function chatOf(body: object | string, endpoint: LlmEndpoint = "chat"): Chat {
  const read = readChat(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)), endpoint);
  assert.equal(read.kind, "chat", JSON.stringify(read));
  return (read as { chat: Chat }).chat;
}

export const asks = (text: string, more: object = {}): Chat =>
  chatOf({ model: "auto", messages: [{ role: "user", content: text }], ...more });

export const newTrace = (identity: Partial<TraceIdentity> = {}): Trace =>
  new Trace("root", { traceId: "1".repeat(32), flags: 3, state: "", propagates: true, ...identity });

/** Attributes as a trace viewer shows them: of two with one key, the last. */
export const attributesOf = (span: Span): Record<string, unknown> =>
  Object.fromEntries(
    Array.from({ length: span.attributes.length / 2 }, (_, i) => span.attributes.slice(2 * i, 2 * i + 2)),
  );

/** The attributes of the only child span, without times and what the model took; fails unless it has ended. */
export function onlySpan(trace: Trace): { span: Span; attributes: Record<string, unknown> } {
  assert.equal(trace.children.length, 1);
  const span = trace.children[0]!;
  assert.ok(span.endMs >= span.startMs, "the span has ended");
  const timed = Object.entries(attributesOf(span));
  return {
    span,
    attributes: Object.fromEntries(timed.filter(([key]) => !/_time_ms$|^model\.(?!name)/.test(key))),
  };
}

const everything: Wants = { category: true, jailbreak: true, entities: true, embedding: true };

/** What a test's encoder says of one text. */
export interface Said {
  readonly category?: Float32Array;
  readonly embedding?: Float32Array;
  readonly jailbreak?: number;
  readonly jailbreakBy?: string;
  readonly entities?: readonly Entity[];
}

/** The shared pass over a chat, with an encoder that is a function of one text; what it throws, the encoder throws. */
export function passOf(
  chat: Chat,
  encodeOne: (text: string) => Said,
  waiting = new AbortController(),
  effort: Effort = noEffort,
): SharedPass {
  const encode: Encode = async ({ texts, focus }) => {
    const said = texts.map(encodeOne);
    const worst = said.reduce((a, b) => ((b.jailbreak ?? 0) > (a.jailbreak ?? 0) ? b : a));
    return {
      category: said[focus]!.category ?? new Float32Array(),
      embedding: said[focus]!.embedding ?? new Float32Array(),
      jailbreak: worst.jailbreak ?? 0,
      ...(worst.jailbreakBy !== undefined && { jailbreakBy: worst.jailbreakBy }),
      entities: said.map(({ entities = [] }) => entities),
      effort,
    };
  };
  return sharedPass({ encode }, chat, everything, waiting);
}

export const classifiedAs = (category: Category | undefined): Classified => ({
  category,
  confidence: category ? 1 : 0,
  by: "model",
  scores: category ? [[category.name, 1]] : [],
});
