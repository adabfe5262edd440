import { createHash } from "node:crypto";
import {
  type Effort,
  type Encode,
  EncodeError,
  type Encoder,
  type Encoding,
  type Entity,
} from "../../src/models/encode.ts";

const labels = ["math", "computer science", "other"] as const;

/**
 * An encoder that is a function: words in the text decide. "number" is math, "code" is computer science, "ATTACK" a
 * jailbreak, an "@" an e-mail address; "BROKEN" fails, "SLOW" answers only when aborted. Equal texts have equal vectors.
 */
export function fakeEncoder(): Encoder & { readonly calls: string[][] } {
  const calls: string[][] = [];
  const encode: Encode = async ({ texts, focus }, _wants, signal) => {
    calls.push([...texts]);
    if (texts.some((text) => text.includes("BROKEN")))
      throw new EncodeError("worker_died", "the worker died");
    if (texts.some((text) => text.includes("FULL"))) throw new EncodeError("overloaded", "the queue is full");
    if (texts.some((text) => text.includes("BUG"))) throw new TypeError("secret detail of a bug");
    if (texts.some((text) => text.includes("SLOW"))) {
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    }
    return encoding(texts, focus);
  };
  return { encode, calls, labels, dims: 8, fingerprint: "fake", close: async () => {} };
}

/** What a reading took, where that does not matter. */
export const noEffort: Effort = {
  tokens: 0,
  windows: 0,
  remembered: 0,
  passMs: 0,
  headMs: { category: 0, jailbreak: 0, entities: 0, embedding: 0 },
  entitiesLeftOut: 0,
};

function encoding(texts: readonly string[], focus: number): Encoding {
  const text = texts[focus]!;
  const top = text.includes("number") ? 0 : text.includes("code") ? 1 : 2;
  return {
    category: Float32Array.from(labels, (_, i) => (i === top ? 0.96 : 0.02)),
    jailbreak: texts.some((one) => one.includes("ATTACK")) ? 0.99 : 0.01,
    entities: texts.map(addresses),
    embedding: vectorOf(text),
    effort: noEffort,
  };
}

function addresses(text: string): Entity[] {
  const at = text.indexOf("@");
  return at < 0 ? [] : [{ type: "EMAIL_ADDRESS", start: at - 1, end: at + 2, score: 1, by: "recogniser" }];
}

function vectorOf(text: string): Float32Array {
  const bytes = createHash("sha256").update(text).digest();
  const vector = Float32Array.from({ length: 8 }, (_, i) => bytes[i]! - 127.5);
  const norm = Math.hypot(...vector);
  return vector.map((x) => x / norm);
}
