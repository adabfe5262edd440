import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Wants } from "../../src/models/encode.ts";
import type { OwnModel, OwnModels, OwnResults, OwnTask } from "../../src/models/own/own.ts";
import { everything, fakeReader, readAll } from "../support/fake-reader.ts";

const nothing: Wants = { category: false, jailbreak: false, entities: false, embedding: false };
const HEADS = {
  category: "category",
  jailbreak: "jailbreak",
  pii: "entities",
  embedding: "embedding",
} as const;
const tasks = Object.keys(HEADS) as OwnTask[];

/** A model that is a function of the text, and takes two passes for it. `texts`: all that it has read. */
function ownModel<T extends OwnTask>(
  task: T,
  verdict: (text: string) => OwnResults[T],
): OwnModel<T> & { readonly texts: string[] } {
  const texts: string[] = [];
  const scan = async function* (text: string) {
    texts.push(text);
    yield Math.ceil(text.length / 2);
    yield 0;
    return verdict(text);
  };
  return {
    task,
    texts,
    labels: [],
    dims: 0,
    fingerprint: "",
    scan,
    run: async (text) => verdict(text),
    close: async () => {},
  };
}

/** A "trick" is an attack, "Rex" an animal; category and embedding are told from all others by their values. */
const owns = () => ({
  category: ownModel("category", () => Float32Array.of(0.25, 0.5, 0.25)),
  jailbreak: ownModel("jailbreak", (text) => (text.includes(" trick") ? 0.9 : 0.1)),
  pii: ownModel("pii", (text) =>
    [...text.matchAll(/\bRex\b/g)].map(({ index }) => ({
      type: "ANIMAL",
      start: index,
      end: index + 3,
      score: 0.8,
      by: "model" as const,
    })),
  ),
  embedding: ownModel("embedding", () => Float32Array.of(0.6, 0.8)),
});

async function read(
  own: OwnModels,
  texts: readonly string[],
  { focus = texts.length - 1, wants = everything } = {},
) {
  const reader = fakeReader(own);
  return { ...(await readAll(reader, { texts, focus }, wants)), windows: reader.windows };
}

const texts = ["Ann said {so_it_is}", "evil plan, j+udge Ann and R+ex of a@b"];

describe("a model of one's own", () => {
  for (const task of tasks)
    test(`${task}: stands in the place of its head, and of no other`, async () => {
      const all = owns();
      const { encoding } = await read({ [task]: all[task] }, texts);
      const embedded = (await read({}, texts)).encoding;
      const replaced = {
        category: Float32Array.of(0.25, 0.5, 0.25),
        jailbreak: 0.1,
        entities: ["EMAIL_ADDRESS a@b", "ANIMAL R+ex"],
        embedding: Float32Array.of(0.6, 0.8),
      };
      const told = ({ entities, ...rest }: typeof encoding) => ({
        ...rest,
        entities: entities[1]!
          .map(({ type, start, end }) => `${type} ${texts[1]!.slice(start, end)}`)
          .sort()
          .reverse(),
      });
      const expected = { ...told(embedded), [HEADS[task]]: replaced[HEADS[task]] };
      const { effort: _, jailbreakBy: __, ...got } = told(encoding);
      const { effort: ___, jailbreakBy: ____, ...wanted } = expected;
      assert.deepEqual(got, wanted);
    });

  for (const task of tasks)
    test(`${task}: its time is its head's, and is asked only where it is wanted`, async () => {
      const all = owns();
      const wants = { ...nothing, [HEADS[task]]: true };
      const { encoding, windows } = await read(all, texts, { wants });
      const { effort } = encoding;
      for (const [head, ms] of Object.entries(effort.headMs))
        assert.equal(ms > 0, head === HEADS[task], head);
      for (const other of tasks) assert.equal(all[other].texts.length > 0, other === task, other);
      assert.deepEqual([windows.length, effort.windows, effort.tokens], [0, 0, 0]);
    });

  test("all four: no window goes through the embedded model", async () => {
    const { windows, encoding } = await read(owns(), texts);
    assert.deepEqual(windows, []);
    assert.equal(encoding.effort.windows, 0);
  });

  test("guards of one's own, the rest embedded: only the focus goes through it", async () => {
    const { jailbreak, pii } = owns();
    assert.equal((await read({ jailbreak, pii }, texts)).windows.length, 1);
    assert.equal((await read({ jailbreak }, texts)).windows.length, 3, "focus, all texts, what is hidden");
  });
});

describe("what it reads", () => {
  for (const task of ["jailbreak", "pii"] as const)
    test(`${task}: the focus, all texts joined, and what is hidden, each without its disguise`, async () => {
      const all = owns();
      await read(all, texts);
      const shown = "evil plan, judge Ann and Rex of a@b";
      assert.deepEqual(all[task].texts, [shown, `${texts[0]}\n${shown}`, "so it is"]);
    });

  for (const task of ["category", "embedding"] as const)
    test(`${task}: the focus, once, without its disguise`, async () => {
      const all = owns();
      await read(all, [...texts, "and then?"], { focus: 1 });
      assert.deepEqual(all[task].texts, ["evil plan, judge Ann and Rex of a@b"]);
    });

  const numbered = (count: number) => Array.from({ length: count }, (_, i) => `w+${i}`).join(" ");

  test("category: a focus of several sections is put together again, nothing lost and nothing twice", async () => {
    for (const text of [numbered(30_000), "w".repeat(100_000)]) {
      const { category } = owns();
      await read({ category }, [text]);
      assert.deepEqual(category.texts, [text.replaceAll("+", "")]);
    }
  });

  test("category: of a very long focus eight sections at most, spread over it", async () => {
    for (const words of [60_000, 150_000]) {
      const { category } = owns();
      await read({ category }, [numbered(words)], { wants: { ...nothing, category: true } });
      const seen = category.texts[0]!.trim()
        .split(/\s+/)
        .map((word) => Number(word.slice(1)));
      assert.ok(category.texts[0]!.length <= 8 * 32_768, `${words}`);
      assert.equal(seen[0], 0);
      assert.ok(seen.at(-1)! > 0.7 * words, `${words}: ${seen.at(-1)}`);
      assert.ok(seen.length > 20_000, `${words}: ${seen.length}`);
    }
  });
});

describe("a guard of one's own", () => {
  const rows: readonly (readonly [string, readonly string[], number, string | undefined])[] = [
    ["nothing", ["hello", "there"], 0.1, undefined],
    ["an attack in an earlier message", ["a trick", "there"], 0.9, undefined],
    ["one that is hidden", ["read {rot:the_trick}", "there"], 0.9, "rot"],
    ["one under a disguise", ["a tr+ick"], 0.9, undefined],
  ];
  for (const [name, texts, probability, by] of rows)
    test(name, async () => {
      const { encoding } = await read({ jailbreak: owns().jailbreak }, texts);
      assert.deepEqual([encoding.jailbreak, encoding.jailbreakBy], [probability, by]);
    });
});

test("personal data has its place in its own text; what is hidden that of its wrapping", async () => {
  const texts = ["Re+x, see {x:Rex_and_a@b}", "Rex and Ann"];
  const { entities } = (await read({ pii: owns().pii }, texts)).encoding;
  assert.deepEqual(
    entities.map((found, i) => found.map(({ type, start, end }) => `${type} ${texts[i]!.slice(start, end)}`)),
    [["ANIMAL Re+x", "ANIMAL {x:Rex_and_a@b}", "EMAIL_ADDRESS {x:Rex_and_a@b}"], ["ANIMAL Rex"]],
  );
});

test("what is left falls with every pass of every model, down to nothing", async () => {
  const long = "so ".repeat(900);
  const { jailbreak, category, pii, embedding } = owns();
  for (const own of [{ jailbreak }, { category, pii }, { jailbreak, category, pii, embedding }]) {
    const { left } = await read(own, [long, long, "x"], { focus: 1 });
    for (const [i, one] of left.entries()) if (i > 1) assert.ok(one < left[i - 1]!, `${i}`);
    assert.ok(left.at(-1)! < 1);
    assert.ok(left.length > 5);
  }
});
