import { type Encode, EncodeError, type Encoding } from "../../src/models/encode.ts";
import type { ModelEncoder } from "../../src/models/encoder.ts";

export type FakeModel = Pick<ModelEncoder, "encode" | "labels" | "thresholds">;

const labels = ["math", "other"];
const thresholds = { category: 0.5, jailbreak: 0.7, pii: 0.5, similarity: 0.9 };

/**
 * A model that is a function: "number" is math, "ATTACK" a jailbreak at 0.7 and "attack" one at 0.69, "@" an e-mail
 * address that a recogniser found, "Ann" a name of which the token head is sure and "May" one of which it is not;
 * "BROKEN" fails. Texts with the same first letter are alike. `encode` replaces what answers.
 */
export function fakeModel(encode: Encode = async ({ texts }) => encodingOf(texts[0]!)): FakeModel {
  return { encode, labels, thresholds };
}

export function encodingOf(text: string): Encoding {
  if (text.includes("BROKEN")) throw new EncodeError("worker_died", "the encoding thread ended");
  const found = (what: string, type: string, score: number, by: "recogniser" | "model") =>
    [...text.matchAll(new RegExp(what, "g"))].map(({ index }) => ({
      type,
      start: index,
      end: index + what.length,
      score,
      by,
    }));
  const angle = (text.codePointAt(0) ?? 0) % 2 === 0 ? 0 : Math.PI / 2;
  return {
    category: Float32Array.from(text.includes("number") ? [0.75, 0.25] : [0.125, 0.875]),
    jailbreak: text.includes("ATTACK") ? 0.7 : text.includes("attack") ? 0.69 : 0.01,
    entities: [
      [
        ...found("@", "EMAIL_ADDRESS", 0.3, "recogniser"),
        ...found("Ann", "PERSON", 0.9, "model"),
        ...found("May", "PERSON", 0.4, "model"),
      ],
    ],
    embedding: Float32Array.of(Math.cos(angle), Math.sin(angle)),
    effort: {
      tokens: 3,
      windows: 1,
      remembered: 0,
      passMs: 2,
      headMs: { category: 0.1, jailbreak: 0.2, entities: 0.3, embedding: 0.4 },
      entitiesLeftOut: 0,
    },
  };
}
