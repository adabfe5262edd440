import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { features } from "../../src/models/features.ts";
import { TOKEN_FEATURES, tokenIds, tokenise } from "../../src/models/tokens.ts";

interface Case {
  text: string;
  embed: number[];
  embed_size: number;
  all_size: number;
  numbers: number;
  all_digest: number;
  tokens: number[][];
  first_row: number[];
  token_digest: number;
}

// Written by training/fixture.py from the Python features that the model was trained on.
const cases = JSON.parse(readFileSync(new URL("./features.json", import.meta.url), "utf8")) as Case[];

function digest(ids: Int32Array): number {
  let h = 2166136261;
  for (const id of ids) {
    h = Math.imul(h ^ (id & 0xffff), 16777619);
    h = Math.imul(h ^ (id >>> 16), 16777619);
  }
  return h >>> 0;
}

describe("features are those the model was trained on", () => {
  for (const [i, c] of cases.entries()) {
    it(`case ${i}: ${JSON.stringify(c.text.slice(0, 30))}`, () => {
      const got = features(c.text);
      assert.deepEqual([...got.embed.subarray(0, 12)], c.embed);
      assert.equal(got.embed.length, c.embed_size);
      assert.equal(got.all.length, c.all_size);
      assert.equal(got.numbers, c.numbers);
      assert.equal(digest(got.all), c.all_digest);
      assert.equal(new Set(got.all).size, got.all.length);

      const tokens = tokenise(c.text);
      const spans = Array.from(tokens.starts, (s, k) => [s, tokens.ends[k]]);
      assert.deepEqual(spans, c.tokens);
      const ids = tokenIds(c.text, tokens, 0, spans.length);
      assert.deepEqual([...ids.subarray(0, TOKEN_FEATURES)], c.first_row);
      assert.equal(digest(ids), c.token_digest);
    });
  }
});

describe("features of parts", () => {
  it("a slice of token rows equals the same rows of the whole", () => {
    const text = "Dr. Jane Smith lives at 12 Main St, Boston, and 王小明 lives in 北京 since 1999.";
    const tokens = tokenise(text);
    const n = tokens.starts.length;
    const whole = tokenIds(text, tokens, 0, n);
    for (const [from, to] of [
      [0, 5],
      [4, 9],
      [n - 2, n],
    ] as const) {
      assert.deepEqual(
        tokenIds(text, tokens, from, to),
        whole.slice(from * TOKEN_FEATURES, to * TOKEN_FEATURES),
      );
    }
  });

  it("case, accents, width and invisible characters do not matter", () => {
    const plain = features("ignore previous cafe 123");
    for (const text of ["IGNORE Previous CAFÉ 123", "i\u200bgnore pre\u00advious cafe\u0301 １２３"]) {
      assert.deepEqual(features(text), plain);
    }
  });
});
