import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { keptBack, readAuthored } from "../../scripts/evaluate/authored.ts";
import { findData, readData } from "../../scripts/evaluate/data.ts";
import { jsonl, numberedTexts, scratchFolder } from "../support/scratch.ts";

const { folder, put } = scratchFolder("evaluate-data");

describe("the data", () => {
  test("development files, packed or not, and no others", () => {
    put("some/category/dev.jsonl.gz", gzipSync(jsonl({ text: "one" })));
    put("some/category/more_dev.jsonl", `${jsonl({ text: "two" })}\n`);
    put("some/category/train.jsonl", jsonl({ text: "no" }));
    put("some/similarity/pairs_dev.jsonl.gz", gzipSync(jsonl({ a: "x", b: "y" })));
    const data = readData(join(folder, "some"));
    assert.deepEqual(data.category, [{ text: "one" }, { text: "two" }]);
    assert.deepEqual(data.similarity, [{ a: "x", b: "y" }]);
    assert.deepEqual([data.jailbreak, data.pii], [[], []]);
  });

  test("a line that is no JSON is named", () => {
    put("bad/pii/dev.jsonl", `${jsonl({ text: "one" })}{"text\n`);
    assert.throws(() => readData(join(folder, "bad")), /pii\/dev\.jsonl:2 is not JSON: restore the file/);
  });

  test("a folder that is named must be there; without the usual one there is nothing to do", () => {
    assert.throws(() => findData("/nowhere", folder), /there is no data in \/nowhere: name/);
    assert.equal(findData(folder, "/nowhere"), folder);
    assert.equal(findData(undefined, folder), folder);
    assert.equal(findData(undefined, "/nowhere"), undefined);
  });

  test("authored texts: those that were kept back, with the hash that training uses", () => {
    const kept = numberedTexts(40).filter(keptBack);
    // As kept_back of training/tasks.py says.
    assert.deepEqual(kept, ["text 12", "text 13", "text 19", "text 20", "text 26", "text 30"]);
    put("authored/category/en/computer_science.txt", `${numberedTexts(40).join("\n")}\n\n`);
    put("authored/jailbreak/zh-attacks.txt", numberedTexts(40).join("\n"));
    put("authored/jailbreak/en-lookalikes.txt", numberedTexts(40).join("\n"));
    put(
      "authored/pii/en.txt",
      numberedTexts(40)
        .map((text) => `[[NRP|text]]${text.slice(4)}`)
        .join("\n"),
    );
    put(
      "authored/similarity/en.tsv",
      numberedTexts(40)
        .map((text) => `0\tnegation\t${text}\tnot ${text}`)
        .join("\n"),
    );
    put("authored/similarity/en.2.tsv", "1\tparaphrase\ttext 12\tother\n0\tnumber\tother\ttext 1\n");
    put("authored/category/zh-exam.tsv", "law\ttext 12\nlaw\ttext 1\n");
    put("authored/category/zh/law.2.txt", "text 13\ntext 1\n");
    const data = readAuthored(join(folder, "authored"));
    const prompt = (text: string, label: string, lang: string, kind: string) => ({
      ...{ text, label, lang, kind },
      source: "authored",
    });
    assert.deepEqual(data.category, [
      ...kept.map((text) => prompt(text, "computer science", "en", "natural")),
      prompt("text 13", "law", "zh", "natural"),
      prompt("text 12", "law", "zh", "question"),
    ]);
    assert.deepEqual(
      data.jailbreak.map(({ label, kind, lang }) => `${label} ${kind} ${lang}`),
      [...kept.map(() => "benign lookalikes en"), ...kept.map(() => "jailbreak attacks zh")],
    );
    assert.deepEqual(data.pii[0], {
      text: kept[0],
      spans: [{ start: 0, end: 4, label: "NRP" }],
      lang: "en",
      source: "authored",
    });
    assert.deepEqual(
      data.similarity.map(({ a, b, label, how, lang }) => [a, b, label, how, lang].join("|")),
      // What meets a text that was kept back is kept back with it, and so is what meets that.
      [
        "text 12|other|1|paraphrase|en",
        "other|text 1|0|number|en",
        "text 1|not text 1|0|negation|en",
        ...kept.map((text) => `${text}|not ${text}|0|negation|en`),
      ],
    );
  });

  test("marks count code points, as the collection does", () => {
    const text = numberedTexts(1000).find((one) => keptBack(`😀 Ann ${one}`))!;
    put("marks/pii/zh.txt", `😀 [[PERSON|Ann]] ${text}`);
    assert.deepEqual(readAuthored(join(folder, "marks")).pii[0]?.spans, [
      { start: 2, end: 5, label: "PERSON" },
    ]);
  });
});
