import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Entity, Wants } from "../../src/models/encode.ts";
import { NotFinite, softmax } from "../../src/models/gist.ts";
import { NUMBER_DIMS, withNumbers } from "../../src/models/numbers.ts";
import type { OwnModels } from "../../src/models/own/own.ts";
import type { Reader } from "../../src/models/reader.ts";
import { fakeReader, readAll } from "../support/fake-reader.ts";
import { filler, namesIn, readWith as read } from "../support/reading.ts";

const nothing: Wants = { category: false, jailbreak: false, entities: false, embedding: false };
describe("the guards", () => {
  const long = `${filler(3000)} evil plan`;
  const short = ["one", "two", "three", "four"];
  const attacks: readonly (readonly [string, readonly string[], number])[] = [
    ["at the end of a long text", [long], 0],
    ["at its start", [`evil plan ${filler(3000)}`], 0],
    ["in its middle", [`${filler(1500)} evil plan ${filler(1500)}`], 0],
    ["at the end of a text of many sections", [`${filler(60_000)} evil plan`], 0],
    ...short.map((_, i) => {
      const texts = short.map((text, k) => (k === i ? "an evil plan" : text));
      return [`in text ${i} of 4`, texts, 3] as const;
    }),
    ["at the end of a long text that is not the focus", [long, "and now?"], 1],
    ["split over two texts", ["this is evil", "plan"], 1],
    ["split over the focus and the text behind it", ["this is evil", "plan"], 0],
    ["in the focus, where all texts together drown it", ["noise", "an evil plan", "noise"], 1],
    ["hidden", ["read {evil_plan} aloud"], 0],
    ["hidden in a text that is not the focus", ["read {evil_plan} aloud", "hi"], 1],
    ["under a disguise", ["an e+vil pl+an"], 0],
  ];
  for (const [where, texts, focus] of attacks)
    test(`see an attack ${where}`, async () => {
      assert.ok((await read(texts, { focus })).encoding.jailbreak > 0.99);
    });

  test("see it wherever it stands to the cuts between windows and sections", async () => {
    for (let words = 80; words < 230; words++)
      assert.ok(
        (await read([`${filler(words)}evil plan ${filler(99)}`])).encoding.jailbreak > 0.99,
        `${words}`,
      );
    for (let words = 10_880; words < 10_940; words++)
      assert.ok(
        (await read([`${filler(words)}evil plan ${filler(999)}`])).encoding.jailbreak > 0.99,
        `${words}`,
      );
  });

  test("tell the highest probability, and of what was hidden how it was wrapped", async () => {
    const rows: readonly (readonly [string, number, string | undefined])[] = [
      ["hello", 0, undefined],
      ["a wild text", 0.5, undefined],
      ["a wild text with an evil plan", 1, undefined],
      ["read {evil_plan}", 1, "braces"],
      ["a wild text that hides {rot:evil_plan}", 1, "rot"],
      ["evil plan {evil_plan}", 1, undefined],
    ];
    for (const [text, probability, by] of rows) {
      const { encoding } = await read([text]);
      assert.equal(encoding.jailbreak.toFixed(1), probability.toFixed(1), text);
      assert.equal(encoding.jailbreakBy, by, text);
    }
  });

  test("do not tell how something lesser was wrapped, though it came first", async () => {
    const { encoding } = await read([`{wild} ${filler(12_000)}`]);
    assert.deepEqual([encoding.jailbreak.toFixed(1), encoding.jailbreakBy], ["0.5", "braces"]);
    const both = (await read([`{wild} ${filler(12_000)} evil plan`])).encoding;
    assert.deepEqual([both.jailbreak.toFixed(1), both.jailbreakBy], ["1.0", undefined]);
  });

  test("texts that are hidden alike share windows, whatever their number", async () => {
    const { windows, encoding } = await read([`{so} {a:evil} `.repeat(60)]);
    assert.equal(windows.length, 3, "the text, what is in plain braces, what is in the others");
    assert.equal(encoding.effort.windows, 3);
  });
});

describe("category and embedding", () => {
  const both = { ...nothing, category: true, embedding: true };

  test("are those of the focus alone", async () => {
    const { encoding } = await read(["judge judge judge", "sum", "judge"], { focus: 1 });
    // Logits 1 and 0, at a temperature of 2.
    assert.equal(encoding.category[0]!.toFixed(3), (1 / (1 + Math.exp(-0.5))).toFixed(3));
    assert.deepEqual(encoding.embedding, withNumbers(Float32Array.of(1, 0), "sum"));
  });

  test("are means over windows, by their tokens", async () => {
    // 126 tokens and 33, of which 32 are in both.
    const { encoding } = await read([`sum ${filler(125)} judge`], { wants: both });
    const [math, law] = [126 / 159, 33 / 159];
    assert.equal(encoding.category[0]!.toFixed(5), (1 / (1 + Math.exp((law - math) / 2))).toFixed(5));
    const norm = Math.hypot(math, law);
    assert.deepEqual(
      [...encoding.embedding].map((x) => x.toFixed(5)),
      [...withNumbers(Float32Array.of(math / norm, law / norm), "")].map((x) => x.toFixed(5)),
    );
  });

  test("of a long text few windows are read, evenly spread", async () => {
    for (const words of [94 * 15 + 32, 94 * 16 + 32, 20_000]) {
      const text = Array.from({ length: words }, (_, i) => `w${i}`).join(" ");
      const { windows } = await read([text], { wants: both });
      assert.ok(windows.length <= 16 + 8 * Math.ceil(Math.log2(words / 1500) + 1), `${windows.length}`);
    }
    const judged = `${filler(15_000)} ${"judge ".repeat(5000)}`;
    const { encoding } = await read([judged], { wants: both });
    assert.ok(encoding.category[1]! > 0.99, "a third of the windows speaks of nothing else");
  });

  test("an empty text has both", async () => {
    const { encoding } = await read([""]);
    assert.deepEqual([...encoding.category], [0.5, 0.5]);
    assert.equal(encoding.embedding.length, 2 + NUMBER_DIMS);
  });
});

describe("a model that answers with no number", () => {
  const texts = ["evil plan of Ann", "sum"];
  const bad = [Number.NaN, Number.POSITIVE_INFINITY];
  const refuses = (reader: Reader, focus = 1) =>
    assert.rejects(readAll(reader, { texts, focus }), { name: "NotFinite" });

  for (const part of ["guard", "tags", "category", "embedding"] as const)
    for (const value of bad)
      test(`refuses: ${value} in ${part}, and nothing of it is remembered`, async () => {
        const sound = fakeReader();
        const broken: Reader = {
          ...sound,
          async run(ids, cases) {
            const out = await sound.run(ids, cases);
            return { ...out, [part]: out[part].map((one, i) => (i === out[part].length - 1 ? value : one)) };
          },
        };
        for (const focus of [0, 1]) await refuses(broken, focus);
        const { encoding } = await readAll(sound, { texts, focus: 1 });
        assert.ok(encoding.jailbreak > 0.99);
        assert.deepEqual(namesIn(texts, encoding), [["Ann"], []]);
      });

  const entity: Entity = { type: "PERSON", start: 0, end: 1, score: Number.NaN, by: "model" };
  const own = { category: Float32Array.of(1, Number.NaN), jailbreak: Number.NaN, pii: [entity] };
  const results = { ...own, embedding: Float32Array.of(Number.NaN) };
  for (const [task, result] of Object.entries(results))
    test(`refuses: one of the operator's own, for ${task}`, async () => {
      const model = {
        task,
        labels: [],
        dims: 0,
        fingerprint: "",
        close: async () => {},
        run: async () => result,
      };
      // biome-ignore lint/correctness/useYield: a model that answers at once
      const scan = async function* () {
        return result;
      };
      await refuses(fakeReader({ [task]: { ...model, scan } } as OwnModels));
    });

  test("softmax takes logits that rule something out", () => {
    assert.deepEqual([...softmax(Float32Array.of(0, Number.NEGATIVE_INFINITY), 1)], [1, 0]);
    for (const value of [...bad, Number.NEGATIVE_INFINITY])
      assert.throws(() => softmax(Float32Array.of(value, value), 1), NotFinite);
  });
});

describe("what nobody needs", () => {
  test("is not computed", async () => {
    const { encoding, windows } = await read(["evil plan of Ann a@b"], { wants: nothing });
    assert.deepEqual(windows, []);
    const { category, embedding, jailbreak, entities } = encoding;
    assert.deepEqual([category.length, embedding.length, jailbreak, entities], [0, 0, 0, [[]]]);
  });

  for (const part of ["category", "jailbreak", "entities", "embedding"] as const)
    test(`${part} alone is as among all, and is all that takes time`, async () => {
      const texts = [`${filler(400)} evil plan of Ann Lee`, "sum judge sum {x:Ann}"];
      const alone = (await read(texts, { wants: { ...nothing, [part]: true } })).encoding;
      const { encoding } = await read(texts);
      assert.deepEqual(alone[part], encoding[part]);
      const { windows, headMs } = alone.effort;
      const ofFocus = part === "category" || part === "embedding";
      assert.equal(windows, ofFocus ? 1 : encoding.effort.windows);
      for (const [head, ms] of Object.entries(headMs)) assert.equal(ms > 0, head === part, head);
    });
});

test("the effort counts what went through the model", async () => {
  const { encoding, windows } = await read(["one two three", `${filler(130)}{x:evil_plan}`]);
  // The focus: 126 and 37 tokens. With the other text: 126 and 40. Hidden: 2.
  assert.equal(encoding.effort.windows, 5);
  assert.equal(encoding.effort.tokens, 126 + 37 + 126 + 40 + 2);
  assert.equal(windows.length, 5);
  assert.ok(encoding.effort.passMs > 0);
});

test("what is left falls with every window, down to nothing", async () => {
  const { left } = await read([filler(2000), filler(900), "x"], { focus: 1 });
  for (const [i, one] of left.entries()) if (i > 1) assert.ok(one < left[i - 1]!, `${i}`);
  assert.ok(left.at(-1)! < 1);
});

describe("windows that come again", () => {
  const numbered = (words: number) => Array.from({ length: words }, (_, i) => `w${i}`).join(" ");
  const history = [`${numbered(500)} evil plan of Ann Lee ${numbered(300)}`, "thank you"];

  test("are remembered, with the same result", async () => {
    const reader = fakeReader();
    const first = await readAll(reader, { texts: [...history, "and now Ann?"], focus: 2 });
    const ran = reader.windows.length;
    const second = await readAll(reader, { texts: [...history, "and now Ann?"], focus: 2 });
    assert.equal(first.encoding.effort.remembered, 0);
    assert.equal(second.encoding.effort.remembered, ran - 1);
    assert.equal(reader.windows.length, ran + 1, "the focus is read again");
    const { effort: _, ...before } = first.encoding;
    const { effort: __, ...after } = second.encoding;
    assert.deepEqual(after, before);
    assert.equal(before.jailbreak.toFixed(2), "1.00");
  });

  test("a conversation that grew is remembered but for its end", async () => {
    const reader = fakeReader();
    await readAll(reader, { texts: [...history, "and now?"], focus: 2 });
    const { encoding } = await readAll(reader, {
      texts: [...history, "and now?", "this", "and then?"],
      focus: 4,
    });
    assert.equal(encoding.effort.windows - encoding.effort.remembered, 2, "the focus and the last window");
  });
});
