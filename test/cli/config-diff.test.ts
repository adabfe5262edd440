import assert from "node:assert/strict";
import { Readable, Writable } from "node:stream";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { configDiff } from "../../src/cli/config-diff.ts";
import { diffPrompts } from "../../src/cli/diff-run.ts";
import { sharingPasses, withPasses } from "../../src/cli/explain/passes.ts";
import { subjectOf } from "../../src/cli/explain/subject.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { Encoder, Wants } from "../../src/models/encode.ts";
import { fakeEncoder } from "../support/fake-encoder.ts";
import { runs } from "./explain-runs.ts";
import { sink } from "./run.ts";

// Routes under two configurations, with an encoder that is a function of words.

const base = `
vllm_endpoints:
  - { name: one, address: 127.0.0.1, port: 8001 }
  - { name: two, address: 127.0.0.1, port: 8002 }
model_config:
  calc: { preferred_endpoints: [one, two], reasoning_family: qwen3, pii_policy: { allow_by_default: true } }
  chat: { preferred_endpoints: [two], pii_policy: { allow_by_default: true } }
reasoning_families:
  qwen3: { type: chat_template_kwargs, parameter: enable_thinking }
  gpt: { type: reasoning_effort }
default_model: chat
categories:
  - name: math
    system_prompt: You are exact.
    model_scores:
      - { model: calc, score: 0.9, use_reasoning: true }
      - { model: chat, score: 0.4, use_reasoning: false }
  - name: other
    model_scores: [{ model: chat, score: 1, use_reasoning: false }]
classifier: { category_model: { threshold: 0.6 }, pii_model: {} }
prompt_guard: { enabled: true }
`;

interface Options {
  readonly encoder?: Encoder;
  readonly json?: boolean;
  readonly hide?: boolean;
  readonly old?: string;
}

async function diff(
  next: string,
  input: string,
  { encoder = fakeEncoder(), json = false, hide = false, old: before = base }: Options = {},
) {
  const [output, errors] = [sink(), sink()];
  const shared = sharingPasses(encoder);
  const [old, changed] = [before, next].map((text) =>
    subjectOf({ ...parseConfig(text), source: { file: "c.yaml", text } }, shared),
  );
  const lines = Readable.from([Buffer.from(input)]);
  const ran = await diffPrompts([old!, changed!], { lines, output, errors }, { json, hide });
  return { ...ran, out: output.text(), errors: errors.text() };
}

/** Rows of the table, and what the last line sums up. */
async function rowsOf(next: string, prompt: string): Promise<readonly string[]> {
  const { out } = await diff(next, prompt, { hide: true });
  return out
    .split("\n")
    .flatMap((line) =>
      /^ /.test(line) && !line.startsWith("  line")
        ? [line.replace(/^ *1? +/, "")]
        : /would change/.test(line)
          ? [line]
          : [],
    );
}

const none = "none of 1 prompt would change";

describe("what counts as a change", () => {
  const change = (from: string, to: string) => {
    assert.ok(base.includes(from), from);
    return base.replace(from, to);
  };
  const rows: readonly (readonly [name: string, next: string, prompt: string, rows: readonly string[]])[] = [
    ["nothing", base, "a number", [none]],
    [
      "the model, and what goes with it",
      change("model: chat, score: 0.4", "model: chat, score: 1.4"),
      "a number",
      [
        "model          calc -> chat",
        "reasoning      on -> off",
        "endpoint       one, two -> two",
        "1 of 1 prompt would change: 1 model, 1 reasoning, 1 endpoint",
      ],
    ],
    [
      "not for those that it does not concern",
      change("model: chat, score: 0.4", "model: chat, score: 1.4"),
      "hello",
      [none],
    ],
    [
      "the category alone",
      change("threshold: 0.6", "threshold: 0.97"),
      "hello",
      ["category       other -> none", "1 of 1 prompt would change: 1 category"],
    ],
    [
      "what is written for reasoning, where on stays on",
      change("parameter: enable_thinking", "parameter: thinking"),
      "a number",
      [
        'reasoning      on chat_template_kwargs {"enable_thinking":true} -> on chat_template_kwargs {"thinking":true}',
        "1 of 1 prompt would change: 1 reasoning",
      ],
    ],
    ["an effort that is not written is none", `${base}default_reasoning_effort: high`, "a number", [none]],
    [
      "an effort that is written is one",
      `${change("reasoning_family: qwen3", "reasoning_family: gpt")}default_reasoning_effort: high`,
      "a number",
      [
        'reasoning      on chat_template_kwargs {"enable_thinking":true} -> on reasoning_effort "high"',
        "1 of 1 prompt would change: 1 reasoning",
      ],
    ],
    [
      "the text of the system prompt",
      change("You are exact.", "You are exact and brief."),
      "a number",
      [
        'system prompt  math, replace: "You are exact." -> math, replace: "You are exact and brief."',
        "1 of 1 prompt would change: 1 system prompt",
      ],
    ],
    [
      "a system prompt that is switched off",
      change(
        "system_prompt: You are exact.",
        "system_prompt: You are exact.\n    system_prompt_enabled: false",
      ),
      "a number",
      ["system prompt  math, replace -> none", "1 of 1 prompt would change: 1 system prompt"],
    ],
    [
      "a refusal, and not what follows from it",
      base.replaceAll("allow_by_default: true", "allow_by_default: false"),
      "a number, x@y",
      ["refusal        none -> 403 pii_violation", "1 of 1 prompt would change: 1 blocked"],
    ],
    [
      "a refusal that is no more",
      change("prompt_guard: { enabled: true }", ""),
      "ATTACK",
      ["refusal        403 jailbreak_blocked -> none", "1 of 1 prompt would change: 1 let through"],
    ],
    [
      "another refusal of what is blocked before and after",
      change("prompt_guard: { enabled: true }", "").replaceAll(
        "allow_by_default: true",
        "allow_by_default: false",
      ),
      "ATTACK x@y",
      ["refusal        403 jailbreak_blocked -> 403 pii_violation", "1 of 1 prompt would change: 1 refusal"],
    ],
    [
      "a refusal for want of an endpoint",
      change("chat: { preferred_endpoints: [two]", "chat: { preferred_endpoints: []"),
      "hello",
      ["refusal        none -> 503 model_without_endpoint", "1 of 1 prompt would change: 1 refused"],
    ],
    [
      "an endpoint that may be chosen",
      change("preferred_endpoints: [one, two]", "preferred_endpoints: [one]"),
      "a number",
      ["endpoint       one, two -> one", "1 of 1 prompt would change: 1 endpoint"],
    ],
    [
      "an endpoint's address",
      change("port: 8002", "port: 9002"),
      "hello",
      [
        "endpoint       two 127.0.0.1:8002 100 % -> two 127.0.0.1:9002 100 %",
        "1 of 1 prompt would change: 1 endpoint",
      ],
    ],
    [
      "an endpoint's share",
      change("port: 8002 }", "port: 8002, weight: 3 }"),
      "a number",
      [
        "endpoint       one 127.0.0.1:8001 50 %, two 127.0.0.1:8002 50 % -> one 127.0.0.1:8001 25 %, two 127.0.0.1:8002 75 %",
        "1 of 1 prompt would change: 1 endpoint",
      ],
    ],
    [
      "weights that mean the same are none",
      base.replaceAll(/port: (800.) /g, "port: $1, weight: 5 "),
      "a number",
      [none],
    ],
    [
      "nor is another order of the endpoints",
      change("preferred_endpoints: [one, two]", "preferred_endpoints: [two, one]"),
      "a number",
      [none],
    ],
    ["nor the weight of the only one", change("port: 8002 }", "port: 8002, weight: 3 }"), "hello", [none]],
    [
      "nor is an endpoint without a weight",
      change("chat: { preferred_endpoints: [two]", "chat: { preferred_endpoints: [two, zero]").replace(
        "model_config:",
        "  - { name: zero, address: 127.0.0.1, port: 8003, weight: 0 }\nmodel_config:",
      ),
      "hello",
      [none],
    ],
    ["nor is the cache", `${base}semantic_cache: { enabled: true }`, "a number", [none]],
  ];
  for (const [name, next, prompt, expected] of rows)
    test(name, async () => assert.deepEqual(await rowsOf(next, prompt), expected));

  test("which endpoint is drawn never counts", async () => {
    const { out } = await diff(base, "a number\n".repeat(100));
    assert.equal(out, "none of 100 prompts would change\n");
  });
});

describe("the file of prompts", () => {
  const next = base.replace("model: chat, score: 0.4", "model: chat, score: 1.4");

  test("texts and JSON; blank lines are left out, numbers are those of the file", async () => {
    const input = [
      "a number",
      "",
      '{"text": "another number"}',
      '{"messages": [{"role": "user", "content": [{"type": "text", "text": "third number"}]}]}',
      '{"model": "calc", "messages": [{"role": "user", "content": "number, but the model is named"}]}',
      "  hello\r",
    ].join("\n");
    const { out, failed, changed, errors } = await diff(next, input, { json: true });
    assert.deepEqual([failed, changed, errors], [false, true, ""]);
    const { changes, ...counts } = JSON.parse(out) as {
      changes: { line: number; prompt: string; changes: object }[];
    };
    assert.deepEqual(
      changes.map(({ line, prompt }) => [line, prompt]),
      [
        [1, "a number"],
        [3, "another number"],
        [4, "third number"],
      ],
    );
    assert.deepEqual(changes[0]!.changes, {
      model: { old: "calc", new: "chat" },
      reasoning: {
        old: {
          enabled: true,
          fields: { chat_template_kwargs: { old: null, new: { enable_thinking: true } } },
        },
        new: { enabled: false, fields: {} },
      },
      endpoint: {
        old: [
          { name: "one", address: "127.0.0.1:8001", share: 0.5 },
          { name: "two", address: "127.0.0.1:8002", share: 0.5 },
        ],
        new: [{ name: "two", address: "127.0.0.1:8002", share: 1 }],
      },
    });
    assert.deepEqual(counts, {
      prompts: 5,
      changed: 3,
      failed: 0,
      by: { model: 3, reasoning: 3, endpoint: 3 },
    });
  });

  test("the table has the beginning of a prompt, or none of it", async () => {
    const prompt = `a number \u001b[31m ${"and more ".repeat(20)}`;
    const { out } = await diff(next, `${prompt}\n为什么天空是蓝色的 number 为什么天空是蓝色的请详细解释\n`);
    assert.deepEqual(out.split("\n").slice(0, 5), [
      "  line  prompt                                    what           old -> new",
      "     1  a number  [31m and more and more and mo…  model          calc -> chat",
      "                                                  reasoning      on -> off",
      "                                                  endpoint       one, two -> two",
      "     2  为什么天空是蓝色的 number 为什么天空是…   model          calc -> chat",
    ]);
    const hidden = await diff(next, prompt, { hide: true });
    assert.doesNotMatch(hidden.out, /number/);
    assert.doesNotMatch((await diff(next, prompt, { hide: true, json: true })).out, /number/);
  });

  test("a line that cannot be compared is told, by its number and without its text", async () => {
    const input = 'a number\n{bad secret\n{"other": 1}\nBROKEN secret\nBUG secret\nhello\n';
    const { out, errors, failed } = await diff(next, input);
    assert.equal(failed, true);
    assert.equal(
      errors,
      'semantic-router config diff: 4 of 6 lines could not be compared; the first is line 2: begins with a brace and is not valid JSON: give {"text": "..."} or {"messages": [...]}, or a prompt as {"text": "..."}\n',
    );
    assert.match(out, /\n1 of 6 prompts would change: 1 model, 1 reasoning, 1 endpoint\n$/);
    const { errors: told } = await diff(next, "BROKEN secret\n");
    assert.match(told, /line 1: \S+ failed: worker_died/);
    assert.match(
      (await diff(next, '{"other": 1}\n')).errors,
      /line 1: no "text" that is a string, and no "messages"/,
    );
    assert.match((await diff(next, "{}\n")).errors, /line 1: no "text"/);
  });

  test("a classifier that failed and was let is no answer to compare", async () => {
    const loose = base.replace("pii_model: {}", "").replace("prompt_guard: { enabled: true }", "");
    const { errors } = await diff(loose, "BROKEN secret\n");
    assert.match(errors, /line 1: classification failed: worker_died/);
  });
});

describe("the models", () => {
  /** Answers as the fake does, and keeps what was wanted. */
  function counting() {
    const fake = fakeEncoder();
    const asked: { readonly text: string; readonly wants: Wants }[] = [];
    const encoder: Encoder = {
      ...fake,
      encode(reading, wants, signal) {
        asked.push({ text: reading.texts.at(-1)!, wants });
        return fake.encode(reading, wants, signal);
      },
    };
    return { encoder, asked };
  }

  test("one pass for both, also where one wants more of it", async () => {
    for (const other of [
      base.replace("threshold: 0.6", "threshold: 0.8"),
      base.replace("prompt_guard: { enabled: true }", ""),
      `${base}keyword_rules: [{ category: other, operator: OR, keywords: [number] }]`,
    ]) {
      for (const [old, next] of [
        [base, other],
        [other, base],
      ] as const) {
        const { encoder, asked } = counting();
        await diff(next, "a number\nhello\na number\n", { encoder, old });
        assert.deepEqual(
          asked.map(({ text }) => text),
          ["a number", "hello", "a number"],
        );
        for (const { wants } of asked)
          assert.deepEqual(wants, { category: true, jailbreak: true, entities: true, embedding: false });
      }
    }
  });

  test("two where they read different texts", async () => {
    const { encoder, asked } = counting();
    const unguarded = base.replace("pii_model: {}", "").replace("prompt_guard: { enabled: true }", "");
    const request = {
      messages: [
        { role: "system", content: "hello" },
        { role: "user", content: "a number" },
      ],
    };
    await diff(unguarded, JSON.stringify(request), { encoder });
    assert.equal(asked.length, 2);
  });
});

describe("shared passes", () => {
  const wants: Wants = { category: true, jailbreak: false, entities: false, embedding: false };
  const never = new AbortController().signal;
  const readings = [
    { texts: ["a", "b"], focus: 0 },
    { texts: ["a", "b"], focus: 0 },
    { texts: ["a", "b"], focus: 1 },
    { texts: ["a", "c"], focus: 0 },
  ];

  test("are of the same texts, with the same focus", async () => {
    const fake = fakeEncoder();
    const { encode } = sharingPasses(fake);
    await withPasses(() => Promise.all(readings.map((reading) => encode(reading, wants, never))));
    assert.equal(fake.calls.length, 3);
  });

  test("are not taken from one that has begun and lacks something", async () => {
    const fake = fakeEncoder();
    const { encode } = sharingPasses(fake);
    const { passes } = await withPasses(async () => {
      await encode(readings[0]!, wants, never);
      await encode(readings[0]!, wants, never);
      await encode(readings[0]!, { ...wants, jailbreak: true }, never);
    });
    assert.deepEqual([fake.calls.length, passes.length], [2, 2]);
  });

  test("are shared within a request only", async () => {
    const fake = fakeEncoder();
    const { encode } = sharingPasses(fake);
    await Promise.all([1, 2].map(() => withPasses(() => encode(readings[0]!, wants, never))));
    await encode(readings[0]!, wants, never);
    assert.equal(fake.calls.length, 3);
  });
});

describe("long files", () => {
  const next = base.replace("model: chat, score: 0.4", "model: chat, score: 1.4");
  async function* numbers(most: number, told: (taken: number) => void) {
    for (let i = 1; i <= most; i++) {
      told(i);
      yield Buffer.from(`number ${i}\n`);
    }
  }
  const subjects = () => {
    const shared = sharingPasses(fakeEncoder());
    const [old, changed] = [base, next].map((text) =>
      subjectOf({ ...parseConfig(text), source: { file: "c.yaml", text } }, shared),
    );
    return [old!, changed!] as const;
  };

  test("rows come in the order of the lines, while there are more to come", async () => {
    const output = sink();
    let ahead = 0;
    const lines = numbers(300, (taken) => {
      const written = output.text().match(/number \d+/g)?.length ?? 0;
      ahead = Math.max(ahead, taken - written);
    });
    await diffPrompts(subjects(), { lines, output, errors: sink() }, { json: false, hide: false });
    const seen = [...output.text().matchAll(/number (\d+)/g)].map(([, n]) => Number(n));
    assert.deepEqual(
      seen,
      Array.from({ length: 300 }, (_, i) => i + 1),
    );
    assert.ok(ahead < 100, String(ahead));
  });

  test("a reader that has gone ends it quietly", async () => {
    let room = 3;
    const output = new Writable({
      write(_chunk, _encoding, done) {
        room -= 1;
        done(room > 0 ? null : Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      },
    });
    const errors = sink();
    let taken = 0;
    const lines = numbers(Number.POSITIVE_INFINITY, (count) => {
      taken = count;
    });
    await diffPrompts(subjects(), { lines, output, errors }, { json: false, hide: false });
    assert.equal(errors.text(), "");
    assert.ok(taken < 200, String(taken));
  });

  test("a reader that is slow holds up the input", async () => {
    let taken = 0;
    const stuck = new Writable({ write() {} });
    const lines = numbers(5000, (count) => {
      taken = count;
    });
    void diffPrompts(subjects(), { lines, output: stuck, errors: sink() }, { json: false, hide: false });
    for (let i = 0; i < 3000; i++) await turn();
    assert.ok(taken > 1 && taken < 200, String(taken));
  });
});

describe("config diff --prompts, with the real model", () => {
  const quickstart = "examples/config/quickstart.yaml";
  const v01 = "examples/config/vllm-semantic-router-v0.1.yaml";
  const prompts = "What is the derivative of x^2 * sin(x)?\nMail ann@example.org\n";

  test("from standard input; the exit status says that something changes only where it is asked to", async () => {
    const { status, out } = await runs(configDiff, [quickstart, v01, "--prompts", "-"], prompts);
    assert.equal(status, 0);
    assert.match(
      out,
      /^ {5}1 {2}What is the derivative of x\^2 \* sin\(x\)\? {3}model {10}math-model -> qwen3$/m,
    );
    assert.match(out, /^ {5}2 {2}Mail ann@example\.org {22}refusal {8}403 pii_violation -> none$/m);
    const args = [quickstart, v01, "--prompts", "-", "--exit-code", "--hide-prompts"];
    const strict = await runs(configDiff, args, prompts);
    assert.equal(strict.status, 1);
    assert.doesNotMatch(strict.out, /derivative/);
    const same = await runs(configDiff, [v01, v01, "--prompts", "-", "--exit-code"], prompts);
    assert.deepEqual([same.status, same.out], [0, "none of 2 prompts would change\n"]);
  });

  test("a line that could not be compared is exit status 1", async () => {
    const { status, errors } = await runs(configDiff, [v01, v01, "--prompts", "-"], "{\n");
    assert.equal(status, 1);
    assert.match(errors, /1 of 1 lines could not be compared/);
  });

  test("a file of prompts that is not there", async () => {
    const args = [quickstart, v01, "--prompts", "/nowhere.txt"];
    await assert.rejects(runs(configDiff, args), /^Error: cannot read \/nowhere\.txt: no such file$/);
  });
});
