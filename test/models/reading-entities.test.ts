import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Entity } from "../../src/models/encode.ts";
import { fakeReader, readAll } from "../support/fake-reader.ts";
import { filler, namesIn, readWith as read } from "../support/reading.ts";

describe("entities", () => {
  test("are told with their places in their own text", async () => {
    const texts = ["hello Ann Lee and a@b", "nobody", "A+nn L+ee and c+@d", "Ann"];
    for (const focus of [0, 1, 2, 3]) {
      const { encoding } = await read(texts, { focus });
      assert.deepEqual(namesIn(texts, encoding), [["Ann Lee", "a@b"], [], ["A+nn L+ee", "c+@d"], ["Ann"]]);
    }
  });

  test("are found once, in windows that overlap and in sections that do", async () => {
    for (const words of [50, 110, 111, 112, 113, 124, 125, 126, 10_700, 10_800, 10_919, 10_921]) {
      const text = `${filler(words)}Ann Lee ${filler(300)}`;
      assert.deepEqual(namesIn([text], (await read([text])).encoding), [["Ann Lee"]], `${words}`);
    }
  });

  test("are told by the window in which they stand farthest from an edge", async () => {
    for (const words of [127, 200, 300, 500]) {
      const text = "Edge ".repeat(words);
      const [found] = (await read([text])).encoding.entities;
      const last = text.length - "Edge ".length;
      assert.deepEqual(
        found!.map(({ start }) => start),
        [0, last],
        "only the ends of the text are edges",
      );
    }
  });

  test("one that crosses a border is given to each text it touches", async () => {
    const texts = ["so says Ann", "Lee said nothing"];
    const { encoding } = await read(texts);
    assert.deepEqual(namesIn(texts, encoding), [["Ann"], ["Lee"]]);
  });

  test("what is hidden has the place of its wrapping, each type once, beside what stands there", async () => {
    const texts = ["hi Ann", "send {x:Ann_a@b_Ann} to {x:b@c} now"];
    const { entities } = (await read(texts)).encoding;
    assert.deepEqual(
      entities[1]!.map(({ type, start, end }) => `${type} ${texts[1]!.slice(start, end)}`).sort(),
      [
        "EMAIL_ADDRESS b@c",
        "EMAIL_ADDRESS {x:Ann_a@b_Ann}",
        "EMAIL_ADDRESS {x:b@c}",
        "PERSON {x:Ann_a@b_Ann}",
      ],
    );
  });
});

describe("entities at the cut between two sections", () => {
  test("are told whole, by the section that sees more of them, wherever they stand", async () => {
    for (let pad = 0; pad < 24; pad++) {
      const reader = fakeReader();
      const text = `${"x".repeat(32_744 + pad)} Ann Lee ${filler(400)}`;
      // A part of a name seems surer than the whole of it.
      const decode: typeof reader.decode = (...args) =>
        reader.decode(...args).map((one) => ({ ...one, score: one.end - one.start > 3 ? 0.8 : 0.95 }));
      const { encoding } = await readAll({ ...reader, decode }, { texts: [text], focus: 0 });
      assert.deepEqual(namesIn([text], encoding), [["Ann Lee"]], `${pad}`);
    }
  });

  test("are told to their ends when they are longer than what sections share", async () => {
    const text = filler(30_000).trim();
    const decode = (shown: string): Entity[] => [
      { type: "PERSON", start: 0, end: shown.trimEnd().length, score: shown.length / 1e6, by: "model" },
    ];
    const { encoding } = await readAll({ ...fakeReader(), decode }, { texts: [text], focus: 0 });
    let end = 0;
    for (const one of encoding.entities[0]!) {
      assert.ok(one.start <= end, `nobody tells of ${end} to ${one.start}`);
      end = one.end;
    }
    assert.equal(end, text.length);
  });
});

test("of very many entities 10,000 are told and the others counted, but every type is told", async () => {
  const texts = ["a@b ".repeat(9990), `${"c@d ".repeat(520)}Ann`];
  for (const focus of [0, 1]) {
    const { encoding } = await read(texts, { focus });
    const all = encoding.entities.flat();
    assert.equal(all.length, 10_001, `${focus}`);
    assert.deepEqual(all.at(-1), { type: "PERSON", start: 2080, end: 2083, score: 0.9, by: "model" });
    // The second look at a focus among others may count once more what is left out.
    assert.equal(encoding.effort.entitiesLeftOut, 510);
  }
  const few = (await read(["a@b ".repeat(100)])).encoding;
  assert.equal(few.effort.entitiesLeftOut, 0);
});
