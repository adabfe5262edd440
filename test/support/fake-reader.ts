import type { About } from "../../src/models/about.ts";
import { type Encoding, type Entity, type Reading, sizeOf, type Wants } from "../../src/models/encode.ts";
import type { Outputs } from "../../src/models/model.ts";
import type { OwnModels } from "../../src/models/own/own.ts";
import type { Reader, Wrapped } from "../../src/models/reader.ts";
import { read } from "../../src/models/reading.ts";
import { Remembered } from "../../src/models/remembered.ts";
import type { Tokenised } from "../../src/models/wordpiece/tokens.ts";

export const about: About = {
  format: 2,
  sha256: { onnx: "", tokenizer: "" },
  labels: ["math", "law"],
  guard_labels: ["benign", "harmful", "jailbreak"],
  tags: ["O", "B-PERSON", "I-PERSON"],
  entity_types: ["PERSON"],
  dims: 2,
  window: { tokens: 128, overlap: 32 },
  temperature: { category: 2, guard: 1 },
  thresholds: {},
  self_test: [],
};

const vocabulary = [
  "[PAD]",
  "[UNK]",
  "[CLS]",
  "[SEP]",
  "evil",
  "plan",
  "Ann",
  "Lee",
  "sum",
  "judge",
  "wild",
  "noise",
  "Edge",
];
const [CLS, SEP, EVIL, PLAN, ANN, LEE, SUM, JUDGE, WILD, NOISE, EDGE] = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/** Words between spaces; one that is not in the vocabulary has a number of its own behind it. */
function tokenise(text: string): Tokenised {
  const words = [...text.matchAll(/\S+/g)];
  const idOf = (word: string): number => {
    const known = vocabulary.indexOf(word);
    return known >= 0 ? known : 100 + [...word].reduce((sum, c) => (31 * sum + c.charCodeAt(0)) % 9000, 0);
  };
  return {
    ids: Int32Array.from(words, ([word]) => idOf(word)),
    cases: new Uint8Array(words.length),
    starts: Int32Array.from(words, ({ index }) => index),
    ends: Int32Array.from(words, ({ 0: word, index }) => index + word.length),
  };
}

/**
 * A model of few words: "evil" next to "plan" is an attack for sure, unless there is "noise", and "wild" half of one; "Ann"
 * and "Lee" behind it are a person, and so seems "Edge" at the very edge of a window; each "sum" speaks for the category
 * math, each "judge" for law. The embedding is that count, too.
 */
function outputs(ids: Int32Array): Outputs {
  const count = (id: number) => ids.filter((one) => one === id).length;
  const attacked = ids.some((id, i) => id === EVIL && ids[i + 1] === PLAN) && !ids.includes(NOISE);
  const tags = new Float32Array(ids.length * 3);
  for (const [i, id] of ids.entries()) {
    const edge = id === EDGE && (ids[i - 1] === CLS || ids[i + 1] === SEP);
    const tag = id === ANN || edge ? 1 : id === LEE && ids[i - 1] === ANN ? 2 : 0;
    tags[3 * i + tag] = 20;
  }
  const votes = Float32Array.of(count(SUM), count(JUDGE));
  return {
    embedding: votes,
    category: votes,
    guard: Float32Array.of(0, 0, attacked ? 9 : ids.includes(WILD) ? 0.7 : -9),
    tags,
  };
}

/** Spans of "Ann" and of "Ann Lee" whose first token has B-PERSON for its best tag. */
function decode(_: string, { starts, ends }: Tokenised, logits: Float32Array): Entity[] {
  const best = (token: number) => logits.subarray(3 * token, 3 * token + 3).indexOf(20);
  return [...starts].flatMap((start, token): Entity[] => {
    if (best(token) !== 1) return [];
    const last = best(token + 1) === 2 ? token + 1 : token;
    return [{ type: "PERSON", start, end: ends[last]!, score: 0.9, by: "model" }];
  });
}

const recognise = (text: string): Entity[] =>
  [...text.matchAll(/\b\w@\w\b/g)].map(({ 0: { length }, index }) => ({
    type: "EMAIL_ADDRESS",
    start: index,
    end: index + length,
    score: 1,
    by: "recogniser",
  }));

/** "+" is invisible. */
function reveal(text: string): { text: string; at?: Int32Array } {
  if (!text.includes("+")) return { text };
  const kept = [...text].flatMap((c, i) => (c === "+" ? [] : [i]));
  return { text: kept.map((i) => text[i]).join(""), at: Int32Array.of(...kept, text.length) };
}

/** "{evil_plan}" holds "evil plan". */
const hidden = (text: string): Wrapped[] =>
  [...text.matchAll(/\{(\w*?):?([^:}]*)\}/g)].map(({ 0: all, 1: kind, 2: inner, index }) => ({
    kind: kind || "braces",
    text: inner!.replaceAll("_", " "),
    start: index,
    end: index + all.length,
  }));

export const everything: Wants = { category: true, jailbreak: true, entities: true, embedding: true };

/** A reader whose model is a function of words. `windows`: the tokens of each window that went through it. */
export function fakeReader(own: OwnModels = {}): Reader & { readonly windows: Int32Array[] } {
  const windows: Int32Array[] = [];
  return {
    about,
    wordpiece: { tokenise, cls: CLS!, sep: SEP! },
    run: async (ids) => {
      windows.push(ids);
      return outputs(ids);
    },
    remembered: new Remembered(1 << 20),
    own,
    reveal,
    hidden,
    recognise,
    decode,
    windows,
  };
}

/** Reads to the end; `left` is what was said to be left after each window. */
export async function readAll(
  reader: Reader,
  reading: Reading,
  wants = everything,
): Promise<{ encoding: Encoding; left: readonly number[] }> {
  const left = [sizeOf(reading)];
  const steps = read(reader, reading, wants);
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return { encoding: value, left };
    left.push(value);
  }
}
