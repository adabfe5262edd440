import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { Readable, Writable } from "node:stream";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { classify, classifyGiven, classifyLines } from "../../src/cli/classify.ts";
import { parse } from "../../src/cli/parse.ts";
import { encodingOf, type FakeModel, fakeModel } from "./fake-model.ts";
import { ran, sink } from "./run.ts";

async function lines(input: string, { model = fakeModel(), timings = false } = {}) {
  const [output, errors] = [sink(), sink()];
  const streams = { input: Readable.from([Buffer.from(input)]), output, errors };
  const status = await classifyLines(streams, model as FakeModel, timings);
  return { status, out: output.text(), errors: errors.text() };
}

const answer = async (record: object, timings = false) =>
  JSON.parse((await lines(JSON.stringify(record), { timings })).out) as Record<string, unknown>;

describe("the answer to a text", () => {
  test("has these fields, in this order", async () => {
    const { out, status } = await lines('{"text":"a number for Ann: x@"}\n');
    assert.equal(
      out,
      '{"category":"math","category_scores":{"math":0.75,"other":0.25},"jailbreak_score":0.01,"jailbreak":false,' +
        '"pii":[{"type":"EMAIL_ADDRESS","start":19,"end":20,"score":0.3,"by":"recogniser"},' +
        '{"type":"PERSON","start":13,"end":16,"score":0.9,"by":"model"}]}\n',
    );
    assert.equal(status, 0);
  });

  test("the category is the best one", async () => {
    assert.equal((await answer({ text: "words" })).category, "other");
  });

  test("jailbreak says whether the score reaches the model's threshold", async () => {
    const at = async (text: string) => (await answer({ text })).jailbreak;
    assert.deepEqual([await at("ATTACK"), await at("attack")], [true, false]);
  });

  test("personal data counts UTF-16 units, and leaves out what the model is not sure of", async () => {
    const { pii } = await answer({ text: "😀 Ann met May" });
    assert.deepEqual(pii, [{ type: "PERSON", start: 3, end: 6, score: 0.9, by: "model" }]);
  });

  test("no embedding is asked for, and of a pair nothing else", async () => {
    const asked: object[] = [];
    const model = fakeModel(async ({ texts, focus }, wants) => {
      asked.push({ texts, focus, wants });
      return encodingOf(texts[0]!);
    });
    await lines('{"text":"t"}\n{"a":"x","b":"y"}', { model });
    const text = { category: true, jailbreak: true, entities: true, embedding: false };
    const pair = { category: false, jailbreak: false, entities: false, embedding: true };
    assert.deepEqual(asked, [
      { texts: ["t"], focus: 0, wants: text },
      { texts: ["x"], focus: 0, wants: pair },
      { texts: ["y"], focus: 0, wants: pair },
    ]);
  });
});

describe("the answer to a pair", () => {
  test("has these fields, in this order", async () => {
    assert.equal((await lines('{"a":"b1","b":"b2"}')).out, '{"similarity":1,"veto":null,"match":true}\n');
  });
  test("below the threshold is no match", async () => {
    assert.deepEqual(await answer({ a: "a", b: "b" }), { similarity: 0, veto: null, match: false });
  });
});

describe("--timings", () => {
  test("adds milliseconds per part", async () => {
    const { total, ...parts } = (await answer({ text: "x" }, true)).timings_ms as Record<string, number>;
    assert.deepEqual(parts, { pass: 2, category: 0.1, jailbreak: 0.2, pii: 0.3 });
    assert.ok(total! >= 0);
    const pair = (await answer({ a: "x", b: "y" }, true)).timings_ms as Record<string, number>;
    assert.deepEqual([pair.pass, pair.embedding], [4, 0.8]);
  });
});

describe("--jsonl", () => {
  test("a line that cannot be answered is told in its place, and the rest is answered", async () => {
    const { out, status, errors } = await lines(
      'nonsense\n{"text":"number"}\n{"text":"BROKEN"}\n\n{"a":"b","b":"b"}\n',
    );
    const got = out.trimEnd().split("\n");
    assert.deepEqual(
      got.map((line) => Object.keys(JSON.parse(line) as object)[0]),
      ["error", "category", "error", "error", "similarity"],
    );
    assert.match(got[0]!, /^\{"error":"not valid JSON: give .*","line":1\}$/);
    assert.equal(got[2], '{"error":"the model failed (worker_died): the encoding thread ended","line":3}');
    assert.match(got[3]!, /^\{"error":"the line is empty.*","line":4\}$/);
    assert.equal(status, 1);
    assert.match(
      errors,
      /^semantic-router classify: 3 of 5 lines could not be classified; the first is line 1: not valid JSON.*\n$/,
    );
  });

  test("answers keep the order of the lines", async () => {
    const model = fakeModel(async ({ texts: [text] }) => {
      for (let i = Number(text); i > 0; i--) await turn();
      return { ...encodingOf(text!), jailbreak: Number(text) / 100 };
    });
    const order = [9, 3, 7, 1, 5, 2];
    const { out } = await lines(order.map((n) => `{"text":"${n}"}\n`).join(""), { model });
    const scores = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { jailbreak_score: number });
    assert.deepEqual(
      scores.map((one) => one.jailbreak_score),
      order.map((n) => n / 100),
    );
  });

  test("a model that is slow holds up the input", async () => {
    let taken = 0;
    let under = 0;
    let most = 0;
    const output = sink();
    const answered = () => output.text().split("\n").length - 1;
    async function* input() {
      for (let i = 0; i < 2000; i++) {
        taken += 1;
        yield Buffer.from('{"text":"x"}\n');
      }
    }
    const model = fakeModel(async ({ texts }) => {
      under += 1;
      most = Math.max(most, under);
      assert.ok(taken - answered() < 400, `${taken} taken, ${answered()} answered`);
      for (let i = 0; i < 5; i++) await turn();
      under -= 1;
      return encodingOf(texts[0]!);
    });
    assert.equal(await classifyLines({ input: input(), output, errors: sink() }, model, false), 0);
    assert.equal(answered(), 2000);
    assert.ok(most > 1 && most <= 400, String(most));
  });

  test("long lines are not taken by the hundred", async () => {
    let under = 0;
    let most = 0;
    const line = Buffer.from(`{"text":"${"x".repeat(3_000_000)}"}\n`);
    const model = fakeModel(async ({ texts }) => {
      under += 1;
      most = Math.max(most, under);
      for (let i = 0; i < 5; i++) await turn();
      under -= 1;
      return encodingOf(texts[0]!.slice(0, 9));
    });
    await classifyLines(
      { input: Readable.from(Array(12).fill(line)), output: sink(), errors: sink() },
      model,
      false,
    );
    assert.ok(most > 1 && most <= 6, String(most));
  });

  test("a reader that is slow holds up the input", async () => {
    let taken = 0;
    async function* input() {
      for (let i = 0; i < 5000; i++) {
        taken += 1;
        yield Buffer.from('{"text":"x"}\n');
      }
    }
    const stuck = new Writable({ write() {} });
    void classifyLines({ input: input(), output: stuck, errors: sink() }, fakeModel(), false);
    for (let i = 0; i < 2000; i++) await turn();
    assert.ok(taken > 1 && taken < 400, String(taken));
  });

  test("a reader that has gone ends it quietly", async () => {
    async function* input() {
      for (;;) yield Buffer.from('{"text":"x"}\nnonsense\n');
    }
    let room = 3;
    const output = new Writable({
      write(_chunk, _encoding, done) {
        room -= 1;
        done(room > 0 ? null : Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      },
    });
    const errors = sink();
    assert.equal(await classifyLines({ input: input(), output, errors }, fakeModel(), false), 0);
    assert.equal(errors.text(), "");
  });

  test("a disk that is full is an error", async () => {
    const output = new Writable({
      write: (_chunk, _encoding, done) =>
        done(Object.assign(new Error("ENOSPC: no space"), { code: "ENOSPC" })),
    });
    const input = Readable.from([Buffer.from('{"text":"x"}')]);
    await assert.rejects(classifyLines({ input, output, errors: sink() }, fakeModel(), false), /ENOSPC/);
  });
});

describe("arguments", () => {
  const wrong: readonly [args: string, says: RegExp][] = [
    ["", /nothing to classify: give a text in quotes, or --jsonl/],
    ["--jsonl text", /give a text or --jsonl, not both/],
    ["two texts", /one text, please, and 2 came: put it in quotes/],
    ["--json text", /unknown option "--json"; did you mean "--jsonl"\?/],
    ["--workers", /--workers needs a value/],
    ["--workers 0 x", /--workers 0: give a whole number from 1 to 256/],
    ["--threads 1.5 x", /--threads 1\.5: give a whole number/],
    ["--threads many x", /--threads many/],
    ["--threads -1 x", /: --threads needs a value; one that begins with a dash is given as --threads=-1 \(/],
    ["--workers=-2 x", /: --workers -2: give a whole number/],
    ["x --model -dir", /--model needs a value; one that begins with a dash is given as --model=-dir \(/],
    ["--model= x", /--model needs a value, and it is empty/],
  ];
  for (const [args, says] of wrong) {
    test(`classify ${args} is a usage error`, async () => {
      const { status, out, err } = await ran(["classify", ...args.split(" ").filter(Boolean)]);
      assert.deepEqual([status, out], [2, ""]);
      assert.match(err, says);
      assert.match(err, /^semantic-router classify: .* \(semantic-router classify --help shows how\)\n$/);
    });
  }

  const started: readonly [args: string, options: object][] = [
    ["text", { path: undefined, workers: 1, threads: 1 }],
    ["--jsonl", { path: undefined, workers: availableParallelism(), threads: 1 }],
    ["--jsonl --workers 3 --threads 2 --model some/dir", { path: "some/dir", workers: 3, threads: 2 }],
  ];
  for (const [args, options] of started) {
    test(`classify ${args} starts the model with ${JSON.stringify(options)}, and ends it`, async () => {
      let closed = 0;
      let asked: object = {};
      const streams = { input: Readable.from([]), output: sink(), errors: sink() };
      const given = parse(classify, args.split(" "));
      assert.ok(given !== "help");
      const status = await classifyGiven(given, streams, async ({ path, workers, threads, ...limits }) => {
        asked = { path, workers, threads };
        assert.ok(limits.deadlineMs! > 3_600_000 && limits.queueLimit! >= 512);
        const close = async () => {
          closed += 1;
        };
        return { ...fakeModel(), close };
      });
      assert.deepEqual([status, closed, asked], [0, 1, options]);
    });
  }

  test("a model that is not there is one line and status 1", async () => {
    const { status, err } = await ran(["classify", "--model", "/nowhere", "text"]);
    assert.equal(status, 1);
    assert.match(err, /^semantic-router classify: .*\/nowhere.*cannot be read.*\n$/);
  });
});
