import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aligned } from "../../src/models/own/tokenizer/aligned.ts";
import { form } from "../../src/models/own/tokenizer/normalise.ts";
import { readTokenizer } from "../../src/models/own/tokenizer/tokenizer.ts";
import { fixtureOf, fixtures, texts } from "../support/onnx/tokenizers.ts";

function wholeCharacters(text: string, [start, end]: readonly [number, number]): [number, number] {
  const clusters = [...text.matchAll(/[\s\S]\p{M}*/gu)];
  const over = clusters.filter(({ 0: cluster, index }) => index < end && index + cluster.length > start);
  const last = over.at(-1)!;
  return [over[0]!.index, last.index + last[0].length];
}

describe("tokens and their places are the reference's", () => {
  for (const [name, { file, frame, expected }] of fixtures) {
    const tokenizer = readTokenizer(file);
    test(`${name}: special tokens`, () => {
      assert.deepEqual([tokenizer.frame.before, tokenizer.frame.after], frame);
    });
    for (const [i, text] of texts.entries()) {
      test(`${name}: ${JSON.stringify(text.slice(0, 40))}`, () => {
        const { ids, starts, ends } = tokenizer.tokenise(text);
        assert.deepEqual([...ids], expected[i]!.ids);
        for (const [k, span] of expected[i]!.spans.entries()) {
          const ours = [starts[k]!, ends[k]!];
          // Where characters were joined, the reference names the first of them only, and we name them all.
          if (ours[0] !== span[0] || ours[1] !== span[1]) assert.deepEqual(ours, wholeCharacters(text, span));
        }
      });
    }
  }
});

test("a text of many sections has the tokens of one piece, and its places", () => {
  const text = "The quick brown fox jumps over the lazy dog, and naïve façade. ".repeat(2000);
  for (const [name, { file }] of fixtures) {
    const { tokenise } = readTokenizer(file);
    const { ids, starts, ends } = tokenise(text);
    const one = tokenise(text.slice(0, 63));
    // Byte pairs see the space before a word, so the first sentence is unlike those after it.
    const rest = tokenise(text.slice(0, 126));
    const size = rest.ids.length - one.ids.length;
    assert.equal((ids.length - one.ids.length) / size, 1999, name);
    for (let i = ids.length - size, k = one.ids.length; i < ids.length; i++, k++) {
      assert.equal(ids[i], rest.ids[k], name);
      assert.equal(starts[i]! - rest.starts[k]!, 63 * 1998, name);
      assert.equal(ends[i]! - rest.ends[k]!, 63 * 1998, name);
    }
  }
});

test("every character that a normal form joins to the one before it is kept with it", () => {
  let joined = 0;
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCodePoint(code);
    const apart = character.normalize("NFD");
    if (apart === character || apart.normalize("NFC") !== character) continue;
    joined += 1;
    for (const name of ["NFC", "NFKC"] as const) {
      const text = form(name)(aligned(`x${apart}x`));
      assert.equal(text.text, `x${apart}x`.normalize(name), code.toString(16));
    }
  }
  assert.ok(joined > 12_000);
  const halfWidth = form("NFKC")(aligned("ｶﾞ"));
  assert.deepEqual([halfWidth.text, [...halfWidth.starts], [...halfWidth.ends]], ["ガ", [0], [2]]);
});

test("a word of a hundred thousand letters is no trouble", () => {
  for (const { file } of fixtures.values()) {
    const { starts, ends } = readTokenizer(file).tokenise("ab1".repeat(33_000));
    assert.equal(starts[0], 0);
    assert.equal(ends.at(-1), 99_000);
  }
});

describe("what is missing or not known is named", () => {
  const { file } = fixtureOf("roberta");
  const { file: unigram } = fixtureOf("xlm_roberta");
  const model = file.model as object;
  const rows: readonly (readonly [unknown, RegExp])[] = [
    [[], /^the file is missing or no object$/],
    [{ ...file, model: undefined }, /^model is missing or no object$/],
    [{ ...file, model: { ...model, type: "WordLevel" } }, /^the model "WordLevel" is not known here$/],
    [{ ...file, model: { ...model, vocab: undefined } }, /^model\.vocab is missing or no object$/],
    [{ ...file, model: { ...model, merges: undefined } }, /^model\.merges is missing or no list$/],
    [{ ...file, model: { ...model, merges: ["ab"] } }, /^model\.merges: entry 0 is no pair$/],
    [{ ...file, model: { ...model, end_of_word_suffix: "</w>" } }, /end_of_word_suffix is not known here$/],
    [{ ...file, normalizer: { type: "Nmt" } }, /^the normalizer "Nmt" is not known here$/],
    [{ ...file, normalizer: { type: "Precompiled", precompiled_charsmap: "AAAA" } }, /damaged precompiled/],
    [{ ...file, pre_tokenizer: { type: "X" } }, /^the pre-tokenizer "X" is not known here$/],
    [{ ...file, pre_tokenizer: { type: "Split" } }, /^the pre-tokenizer Split has no pattern$/],
    [
      { ...file, pre_tokenizer: { type: "Split", pattern: { Regex: "(?>a)" } } },
      /is not one that JavaScript/,
    ],
    [{ ...file, post_processor: { type: "X" } }, /^the post-processor "X" is not known here$/],
    [{ ...file, added_tokens: [{ content: "<s>" }] }, /^added_tokens: "<s>" has no id$/],
    [{ ...unigram, model: { type: "Unigram", vocab: [["a"]] } }, /entry 0 is no pair of token and score$/],
    [{ ...file, model: { type: "WordPiece", vocab: { a: 0 } } }, /^model\.unk_token is not in model\.vocab$/],
  ];
  for (const [json, message] of rows)
    test(message.source, () => assert.throws(() => readTokenizer(json), { name: "Misfit", message }));
});
