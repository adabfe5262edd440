import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { languages, textMaker } from "../../bench/lib/texts.ts";
import { readTokenizer } from "../../src/models/wordpiece/tokenizer.ts";

const file = new URL("../../models/tokenizer.json", import.meta.url);
const tokenizer = readTokenizer(readFileSync(file, "utf8"));

describe("the bench's texts", () => {
  for (const language of languages) {
    for (const tokens of [16, 128, 512]) {
      test(`${language}: ${tokens} tokens with the marks, never the same twice`, () => {
        const make = textMaker(tokenizer, language, tokens);
        // Short texts soon repeat by themselves.
        const texts = Array.from({ length: tokens === 16 ? 3000 : 50 }, make);
        for (const text of texts) assert.equal(tokenizer.tokenise(text).ids.length + 2, tokens, text);
        assert.equal(new Set(texts).size, texts.length);
        assert.equal(/\p{Script=Han}/u.test(texts[0]!), language === "Chinese");
      });
    }
  }
});
