import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Table } from "../../bench/lib/table.ts";
import { calibrationTables, categoryTables, predict } from "../../scripts/evaluate/category.ts";
import { heldOutTable } from "../../scripts/evaluate/held-out.ts";
import { everyday, jailbreakTables } from "../../scripts/evaluate/jailbreak.ts";
import { piiTables } from "../../scripts/evaluate/pii.ts";
import { similarityTables } from "../../scripts/evaluate/similarity.ts";
import type { Encoding, Entity } from "../../src/models/encode.ts";
import { repoRoot } from "../support/repo.ts";
import { jsonl, numberedTexts, scratchFolder } from "../support/scratch.ts";

const { folder, put } = scratchFolder("evaluate");

/** A model that is asked nothing but what `say` says of a text. */
function runWith(say: (text: string) => Partial<Encoding>) {
  const asked: string[] = [];
  return {
    asked,
    inFlight: 3,
    progress: () => {},
    encoder: {
      labels: ["math", "law", "other"],
      thresholds: { category: 0.5, jailbreak: 0.6, pii: 0.5, similarity: 0.9 },
      encode: async ({ texts: [text] }: { readonly texts: readonly string[] }) => {
        asked.push(text!);
        return say(text!) as Encoding;
      },
    },
  };
}

/** The cells of the row that begins with `name`. */
function row({ rows, title }: Table, name: string): readonly string[] {
  const found = rows.find(([first]) => first === name);
  assert.ok(found, `${title} has no row ${name}: ${rows.map(([first]) => first).join("; ")}`);
  return found.slice(1);
}

describe("category", () => {
  const record = (text: string, label: string, more: object = {}) => ({
    text,
    label,
    lang: "en",
    kind: "question",
    source: "exam/part",
    ...more,
  });
  const says = (text: string) => ({
    category: Float32Array.from(text.includes("7") ? [0.75, 0.25, 0] : [0.25, 0.25, 0.5]),
  });

  test("is right where the best label is; texts with choices are asked twice", async () => {
    const run = runWith(says);
    const predictions = await predict(run, [
      record("7", "math"),
      record("x", "math", { options: ["one", 7] }),
      record("law", "law", { lang: "zh", kind: "natural", source: "b" }),
    ]);
    assert.deepEqual(run.asked, ["7", "x", "law", "x\none\n7"]);
    const [byKind, bySource] = categoryTables(predictions);
    assert.deepEqual(row(byKind!, "en question").slice(0, 2), ["2", "50.0 %"]);
    assert.deepEqual(row(byKind!, "en question, with options").slice(0, 2), ["1", "100.0 %"]);
    assert.deepEqual(row(byKind!, "zh natural").slice(0, 2), ["1", "0.0 %"]);
    assert.deepEqual(row(bySource!, "en question: exam").slice(0, 2), ["2", "50.0 %"]);
  });

  test("calibration is of the texts alone", async () => {
    const predictions = await predict(runWith(says), [
      record("7", "math", { options: ["7"] }),
      record("7", "law"),
    ]);
    const [sets, bins] = calibrationTables(predictions);
    assert.deepEqual(row(sets!, "all"), ["2", "75.0 %", "50.0 %", "0.250"]);
    assert.deepEqual(row(bins!, "0.73 to 0.80"), ["2", "75.0 %", "50.0 %"]);
    assert.equal(bins!.rows.length, 15);
  });
});

describe("jailbreak", () => {
  const record = (score: number, label: string, kind: string, lang = "en") => ({
    text: String(score),
    label,
    kind,
    lang,
    source: `${kind} source`,
  });
  const records = [
    ...[0.9, 0.8, 0.55].map((score) => record(score, "jailbreak", "injection")),
    ...numberedTexts(98).map(() => record(0.1, "benign", "benign")),
    record(0.7, "benign", "hard_benign"),
    record(0.5, "benign", "hard_benign", "zh"),
    record(0.99, "harmful", "harmful"),
  ];
  const says = (text: string) => ({ jailbreak: Number(text) });

  test("recall at shares of false alarms and at the shipped threshold; the harmful are neither", async () => {
    const [recall, byKind, bySource] = await jailbreakTables(runWith(says), records);
    // Of 100 benign one may be flagged at 1 %, two at 2 %: the cuts are 0.7, 0.5 and 0.1.
    assert.deepEqual(row(recall!, "all benign"), [
      ...["3", "100", "0.997"],
      ...["66.7 %", "100.0 %", "100.0 %"],
      ...["66.7 %", "1.0 %"],
    ]);
    assert.deepEqual(row(recall!, "look-alikes").slice(1, 3), ["2", "0.833"]);
    assert.deepEqual(row(recall!, "all but look-alikes").slice(1, 3), ["98", "1.000"]);
    assert.deepEqual(row(recall!, "all benign, en")[1], "99");
    assert.ok(!recall!.rows.some(([name]) => name === "all benign, zh"), "no attacks in Chinese");
    assert.deepEqual(row(byKind!, "harmful: harmful, en"), ["1", "100.0 %", "0.990", "0.990"]);
    assert.deepEqual(row(bySource!, "jailbreak: injection source"), ["3", "66.7 %", "0.750", "0.900"]);
  });

  test("natural texts of the category set are everyday ones", () => {
    const category = ["natural", "question"].map((kind) => ({
      text: kind,
      label: "math",
      lang: "zh",
      source: "s",
      kind,
    }));
    assert.deepEqual(everyday(category), [
      { text: "natural", lang: "zh", label: "benign", kind: "everyday", source: "category set" },
    ]);
  });
});

describe("personal data", () => {
  const entity = (type: string, start: number, end: number, score = 0.9, by = "model") =>
    ({ type, start, end, score, by }) as Entity;

  test("exact spans, offsets converted, types that were not annotated left out", async () => {
    const records = [
      {
        text: "😀 Ann, x@y.z",
        spans: [
          { start: 2, end: 5, label: "PERSON" },
          { start: 7, end: 12, label: "EMAIL_ADDRESS" },
        ],
        lang: "en",
        source: "a",
      },
      {
        text: "Bo",
        spans: [{ start: 0, end: 2, label: "PERSON" }],
        lang: "zh",
        source: "b",
        annotated: ["PERSON"],
      },
    ];
    const found: Record<string, Entity[]> = {
      "😀 Ann, x@y.z": [
        entity("PERSON", 3, 6),
        entity("EMAIL_ADDRESS", 8, 12, 1, "recogniser"),
        entity("GPE", 0, 2),
        entity("GPE", 0, 3, 0.4),
      ],
      Bo: [entity("GPE", 0, 2), entity("PERSON", 0, 1)],
    };
    const [bySource, byType, alone] = await piiTables(
      runWith((text) => ({ entities: [found[text]!] })),
      records,
    );
    // Three wanted; found: a right name, a wrong address, a place, and half a name.
    assert.deepEqual(row(bySource!, "all"), ["2", "3", "25.0 %", "33.3 %", "28.6 %"]);
    assert.deepEqual(row(bySource!, "b, zh"), ["1", "1", "0.0 %", "0.0 %", "0.0 %"]);
    assert.deepEqual(row(byType!, "PERSON"), ["2", "2", "50.0 %", "50.0 %", "50.0 %"]);
    assert.deepEqual(row(byType!, "EMAIL_ADDRESS").slice(0, 2), ["1", "1"]);
    assert.deepEqual(row(alone!, "all"), ["2", "1", "0.0 %", "0.0 %", "0.0 %"]);
    assert.deepEqual(
      alone!.rows.map(([name]) => name),
      ["all", "EMAIL_ADDRESS"],
    );
  });

  test("what the token head says of a structured type is not the recognisers'", async () => {
    const record = {
      text: "x@y.z",
      spans: [{ start: 0, end: 5, label: "EMAIL_ADDRESS" }],
      lang: "en",
      source: "a",
    };
    const [, , alone] = await piiTables(
      runWith(() => ({ entities: [[entity("EMAIL_ADDRESS", 0, 5)]] })),
      [record],
    );
    assert.deepEqual(row(alone!, "EMAIL_ADDRESS").slice(1), ["1", "n/a", "0.0 %", "0.0 %"]);
  });
});

describe("similarity", () => {
  test("AUC by source and by how pairs were made, each text asked once", async () => {
    const pair = (a: string, b: string, label: number, how?: string, lang = "en") => ({
      a,
      b,
      label,
      lang,
      source: how ? "authored" : "sts",
      ...(how && { how }),
    });
    const run = runWith((text) => {
      const angle = (Number(text) * Math.PI) / 180;
      return { embedding: Float32Array.of(Math.cos(angle), Math.sin(angle)) };
    });
    const [bySource, near] = await similarityTables(run, [
      pair("0", "10", 1, "paraphrase"),
      pair("0", "40", 1, "same_question"),
      pair("0", "30", 0, "number"),
      pair("0", "50", 0, "negation"),
      pair("0", "5", 0, "other_question"),
      pair("0", "20", 1),
      pair("0", "60", 0),
    ]);
    assert.deepEqual(run.asked.toSorted(), ["0", "10", "20", "30", "40", "5", "50", "60"]);
    assert.deepEqual(row(near!, "all near misses"), ["2", "2", "0.750", "50.0 %", "0.0 %"]);
    assert.deepEqual(row(near!, "number, en"), ["2", "1", "0.500", "50.0 %", "0.0 %"]);
    assert.deepEqual(row(near!, "other_question, en"), ["2", "1", "0.000", "50.0 %", "100.0 %"]);
    assert.deepEqual(row(bySource!, "sts, en"), ["1", "1", "1.000", "100.0 %", "0.0 %"]);
    assert.deepEqual(row(bySource!, "all").slice(0, 2), ["3", "4"]);
  });
});

describe("figures from elsewhere", () => {
  test("are printed as they are", () => {
    const file = put(
      "held.json",
      JSON.stringify([{ name: "mmlu-pro", n: 40, metric: "accuracy", value: 0.8125 }]),
    );
    assert.deepEqual(row(heldOutTable(file), "mmlu-pro"), ["40", "accuracy", "0.813"]);
  });
  const wrong: readonly [content: string, says: RegExp][] = [
    ["{", /wrong\.json cannot be read \(.*\): it must be a list of \{"name", "n"/],
    ["{}", /wrong\.json holds no list/],
    ['[{"name":"a","n":1,"metric":"m","value":1},{"name":"a"}]', /wrong\.json, entry 2: it must be/],
  ];
  for (const [content, says] of wrong) {
    test(`${content} is refused`, () => {
      assert.throws(() => heldOutTable(put("wrong.json", content)), says);
    });
  }
});

describe("npm run evaluate", () => {
  const run = (args: readonly string[], env: Record<string, string> = {}) => {
    const command = ["--disable-warning=ExperimentalWarning", "scripts/evaluate/run.ts", ...args];
    const { DATA: _data, ...inherited } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, command, {
      cwd: repoRoot,
      env: { ...inherited, ...env },
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };

  test("data that is named and not there is an error", () => {
    for (const [args, env] of [
      [["--data", "/nowhere"], {}],
      [[], { DATA: "/nowhere" }],
    ] as const) {
      const { status, stderr } = run(args, env);
      assert.equal(status, 1);
      assert.equal(stderr, "there is no data in /nowhere: name the collection's folder by --data or DATA\n");
    }
  });

  test("unknown parts and options are refused", () => {
    assert.match(run(["--only", "category,colour"]).stderr, /^no such part: colour\n/);
    const { status, stderr } = run(["--dta", "x"]);
    assert.equal(status, 1);
    assert.match(stderr, /--dta/);
  });

  test("prints the tables of the parts that are asked for, through the real model", () => {
    const data = join(folder, "small");
    put(
      "small/category/dev.jsonl.gz",
      gzipSync(jsonl({ text: "What is 2+2?", label: "math", lang: "en", kind: "natural", source: "s" })),
    );
    put(
      "small/pii/dev.jsonl.gz",
      gzipSync(
        jsonl({
          text: "Write to ann@example.org",
          spans: [{ start: 9, end: 24, label: "EMAIL_ADDRESS" }],
          lang: "en",
          source: "s",
        }),
      ),
    );
    const held = put(
      "shown.json",
      JSON.stringify([{ name: "left out", n: 1, metric: "recall", value: 0.5 }]),
    );
    const args = ["--data", data, "--only", "pii", "--workers", "1", "--markdown", "--held-out", held];
    const { status, stdout, stderr } = run(args);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^model [0-9a-f]+, thresholds: /);
    assert.match(stdout, /### Personal data: exact spans, by source\n/);
    assert.match(stdout, /^\| s, en \| 1 \| 1 \| .* % \|$/m);
    // What was written for training and kept back from it comes along.
    assert.match(stdout, /^\| authored, en \| /m);
    assert.match(stdout, /\| left out \| 1 \| recall \| 0\.500 \|/);
    assert.doesNotMatch(stdout, /Category|Jailbreak|Similarity/);
    assert.match(stderr, /pii: /);
  });
});
