import assert from "node:assert/strict";
import { type Chat, type LlmEndpoint, readChat } from "../../src/chat/request.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { Category, Config } from "../../src/config/schema.ts";
import type { Encode, Encoding, Wants } from "../../src/models/encode.ts";
import type { Classified } from "../../src/pipeline/classified.ts";
import { type SharedPass, sharedPass } from "../../src/pipeline/shared-pass.ts";
import { type Span, Trace, type TraceIdentity } from "../../src/telemetry/trace.ts";

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

/** The attributes of the only child span, those that measure time apart; fails unless it has ended. */
export function onlySpan(trace: Trace): { span: Span; attributes: Record<string, unknown> } {
  assert.equal(trace.children.length, 1);
  const span = trace.children[0]!;
  assert.ok(span.endMs >= span.startMs, "the span has ended");
  const timed = Object.entries(attributesOf(span));
  return { span, attributes: Object.fromEntries(timed.filter(([key]) => !key.endsWith("_time_ms"))) };
}

const everything: Wants = { category: true, jailbreak: true, entities: true, embedding: true };
const nothing: Encoding = {
  category: new Float32Array(),
  jailbreak: 0,
  entities: [],
  embedding: new Float32Array(),
};

/** The shared pass over a chat, with an encoder that is a function of one text; what it throws, the encoder throws. */
export function passOf(
  chat: Chat,
  encodeOne: (text: string) => Partial<Encoding>,
  waiting = new AbortController(),
): SharedPass {
  const encode: Encode = async (texts) => texts.map((text) => ({ ...nothing, ...encodeOne(text) }));
  return sharedPass(encode, chat, everything, waiting);
}

export const classifiedAs = (category: Category | undefined): Classified => ({
  category,
  confidence: category ? 1 : 0,
  by: "model",
  scores: category ? [[category.name, 1]] : [],
});
