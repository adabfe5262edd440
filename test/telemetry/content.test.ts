import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { recognise } from "../../src/models/recognisers.ts";
import { contentRecorder, mostBytes, mostChars, type Recorder } from "../../src/telemetry/content.ts";
import { conventions } from "../../src/telemetry/conventions.ts";
import type { Known } from "../../src/telemetry/redaction.ts";
import { attributesOf, newTrace } from "../support/pipeline.ts";

const recorder = (max = 4096, known: readonly Known[] = []): Recorder =>
  contentRecorder(max, recognise)(known) ?? assert.fail("no recorder");
const user = (text: string, message = "messages[0]") => ({ role: "user", text, message });
const says = (text: string, more: object = {}) => ({
  text,
  reasoning: "",
  calls: "",
  finishReason: "stop",
  ...more,
});
const read = (recorded: ReturnType<Recorder["prompt"]>) =>
  Object.fromEntries(
    recorded.map(([key, value]) => [key, value === true || (JSON.parse(value) as unknown)] as const),
  );
/** The one text of a prompt, as it is recorded. */
const recorded = (text: string, max?: number, known?: readonly Known[]): string => {
  const { "gen_ai.input.messages": messages } = read(recorder(max, known).prompt([user(text)], undefined));
  return (messages as { parts: { content: string }[] }[])[0]!.parts[0]!.content;
};

describe("the form is OpenTelemetry's", () => {
  test("a prompt", () => {
    const texts = [
      { role: "system", text: "Be brief.", message: "messages[0]" },
      user("one", "messages[1]"),
      user("two", "messages[1]"),
      { role: "assistant", text: "2", message: "messages[2]" },
    ];
    assert.deepEqual(read(recorder().prompt(texts, "You are exact.")), {
      "gen_ai.input.messages": [
        { role: "system", parts: [{ type: "text", content: "Be brief." }] },
        {
          role: "user",
          parts: [
            { type: "text", content: "one" },
            { type: "text", content: "two" },
          ],
        },
        { role: "assistant", parts: [{ type: "text", content: "2" }] },
      ],
      "gen_ai.system_instructions": [{ type: "text", content: "You are exact." }],
    });
  });

  test("an answer", () => {
    const choices = [
      says("4", { reasoning: "2+2" }),
      says("", { calls: 'add{"a":1}', finishReason: undefined }),
    ];
    assert.deepEqual(read(recorder().answer(choices)), {
      "gen_ai.output.messages": [
        {
          role: "assistant",
          parts: [
            { type: "reasoning", content: "2+2" },
            { type: "text", content: "4" },
          ],
          finish_reason: "stop",
        },
        { role: "assistant", parts: [{ type: "text", content: 'add{"a":1}' }], finish_reason: "error" },
      ],
    });
    assert.deepEqual(recorder().answer([]), []);
  });
});

describe("redaction", () => {
  const rows: readonly [string, string, string, (readonly Known[])?][] = [
    ["an address", "Mail ann@example.com now", "Mail [EMAIL_ADDRESS] now"],
    ["a card", "4111 1111 1111 1111!", "[CREDIT_CARD]!"],
    ["a name that was found", "I am Ann Lee.", "I am [PERSON].", [{ type: "PERSON", value: "Ann Lee" }]],
    ["every time", "Ann, ANN and ann", "[PERSON], [PERSON] and [PERSON]", [{ type: "PERSON", value: "Ann" }]],
    ["over line ends", "Ann\n  Lee", "[PERSON]", [{ type: "PERSON", value: "Ann Lee" }]],
    [
      "the longer one first",
      "Ann Lee",
      "[PERSON]",
      [
        { type: "GPE", value: "Lee" },
        { type: "PERSON", value: "Ann Lee" },
      ],
    ],
    [
      "what overlaps goes whole",
      "ann@example.com",
      "[EMAIL_ADDRESS]",
      [{ type: "PERSON", value: "ann@exam" }],
    ],
    [
      "what overlaps at its end too",
      "Lee ann@example.com",
      "[PERSON]",
      [{ type: "PERSON", value: "Lee ann@exam" }],
    ],
    [
      "signs are no pattern",
      "a.b and axb (c",
      "[TITLE] and axb [AGE]",
      [
        { type: "TITLE", value: "a.b" },
        { type: "AGE", value: "(c" },
      ],
    ],
    ["nothing to find", "just words", "just words", [{ type: "PERSON", value: " " }]],
  ];
  for (const [name, text, expected, known] of rows) {
    test(name, () => assert.equal(recorded(text, 4096, known), expected));
  }

  test("answers, thoughts, tool calls and instructions too", () => {
    const secret = "ann@example.com";
    const it = recorder(4096, [{ type: "PERSON", value: "Ann Lee" }]);
    const all = JSON.stringify([
      it.answer([
        says(`Ann Lee ${secret}`, { reasoning: `ann lee ${secret}`, calls: `{"to":"${secret} Ann Lee"}` }),
      ]),
      it.prompt([], `Serve Ann Lee, ${secret}`),
    ]);
    assert.doesNotMatch(all, /ann|lee|example/i);
    assert.equal(all.match(/\[PERSON\]/g)?.length, 4);
    assert.equal(all.match(/\[EMAIL_ADDRESS\]/g)?.length, 4);
  });

  test("an exchange with more personal data than can be looked for is not recorded", () => {
    const known = Array.from({ length: 257 }, (_, i) => ({ type: "PERSON", value: `Name ${i}` }));
    assert.equal(contentRecorder(64, recognise)(known), undefined);
    assert.ok(contentRecorder(64, recognise)(known.slice(1)));
  });
});

describe("limits", () => {
  test("a text is cut after it was redacted, so no half of a value stays", () => {
    assert.equal(recorded("Mail ann@example.com", 16), "Mail [EMAIL_ADDR");
    assert.equal(recorded("x".repeat(20), 16), "x".repeat(16));
    assert.equal(recorded(`${"x".repeat(15)}😀`, 16), "x".repeat(15));
  });

  test("wherever the end of a long text falls, nothing of a value is left", () => {
    const value = "somebody.with.a.long.name@a-company.example.com";
    for (let before = 0; before < 120; before++) {
      const text = `${"y ".repeat(before)}${` ${value}`.repeat(40)}`;
      const left = recorded(text, 64).replaceAll("[EMAIL_ADDRESS]", "");
      assert.match(left, /^[y ]*(?:\[[A-Z_]*)?$/, `${before}: ${left}`);
    }
  });

  test("nor of a long one, of which so much goes that the end of what is looked at comes into reach", () => {
    const value = "Q".repeat(400);
    for (let before = 0; before < 640; before += 7) {
      const text = `${" ".repeat(before)}${`${value} `.repeat(10)}`;
      assert.doesNotMatch(recorded(text, 64, [{ type: "T", value }]), /Q/, String(before));
    }
  });

  test("the newest texts of a prompt, the first choices of an answer", () => {
    const texts = Array.from({ length: 40 }, (_, i) => user(`t${i}`, `messages[${i}]`));
    const { "gen_ai.input.messages": messages } = read(recorder().prompt(texts, undefined));
    assert.deepEqual(
      (messages as { parts: { content: string }[] }[]).map(({ parts }) => parts[0]?.content),
      texts.slice(8).map(({ text }) => text),
    );
    const answers = read(recorder().answer(texts.map(({ text }) => says(text))));
    assert.equal((answers["gen_ai.output.messages"] as unknown[]).length, 32);
  });
});

describe("a whole exchange", () => {
  const providers = ["opentelemetry", "openinference", "openllmetry"] as const;
  type Provider = (typeof providers)[number];
  const fills = {
    words: "so it is ",
    Chinese: "今天天气",
    quotes: '"\\',
    control: "\u0001",
    halves: "\ud800",
  };
  const filled = (fill: string, chars: number) => fill.repeat(Math.ceil(chars / fill.length)).slice(0, chars);
  const conversation = (count: number, text: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => user(text(i), `messages[${i}]`));
  const contents = (recorded: unknown) =>
    (recorded as { parts: { content: string }[] }[]).map(({ parts }) => parts[0]?.content);

  /** What stands on the span in the end, with what the convention adds. */
  function spanOf(provider: Provider, max: number, texts: readonly ReturnType<typeof user>[], text = "") {
    const it = contentRecorder(max, recognise, provider)([]) ?? assert.fail("no recorder");
    const at = newTrace();
    const span = at.open("semantic_router.upstream.request", "client");
    for (const [key, value] of [...it.answer([says(text)]), ...it.prompt(texts, text || undefined)])
      if (value === true) span.set(key, value);
      else span.setContent(key, value);
    conventions(provider)?.(at);
    return attributesOf(span);
  }
  const bytesOf = (attributes: object) =>
    Object.entries(attributes)
      .flat()
      .reduce((sum: number, one) => sum + Buffer.byteLength(String(one)), 0);

  for (const provider of providers)
    for (const [name, fill] of Object.entries(fills))
      for (const [count, max] of [
        [32, 4096],
        [32, 65_536],
        [1, 65_536],
        [33, 16],
      ] as const)
        test(`${provider}: ${count} times ${max} characters of ${name} fit`, () => {
          const text = filled(fill, max);
          const attributes = spanOf(
            provider,
            max,
            conversation(count, () => text),
            text,
          );
          const bytes = bytesOf(attributes);
          assert.ok(bytes <= mostBytes, String(bytes));
          assert.equal(attributes["content.truncated"], count > 1 || max > 16 ? true : undefined);
        });

  test("without a convention there is room for all that is looked at, in any language", () => {
    const text = filled(fills.Chinese, 2000);
    const { "gen_ai.input.messages": json, ...more } = spanOf(
      "opentelemetry",
      4096,
      conversation(32, () => text),
    );
    assert.deepEqual(contents(JSON.parse(String(json))), Array(32).fill(text));
    assert.equal(more["content.truncated"], undefined);
  });

  test("a recorder that is not told of a convention leaves room for any", () => {
    const texts = conversation(32, () => filled(fills.Chinese, 2000));
    const json = (recorded: ReturnType<Recorder["prompt"]>) => Buffer.byteLength(String(recorded[0]?.[1]));
    assert.ok(3 * json(recorder().prompt(texts, undefined)) <= mostBytes);
  });

  test("the oldest texts go first, one is cut, and the answer stays", () => {
    const texts = conversation(20, (i) => filled(`${i} `, 4096));
    const it = recorder(4096);
    const answered = read(it.answer([says("the answer")]));
    assert.deepEqual(contents(answered["gen_ai.output.messages"]), ["the answer"]);
    const { "gen_ai.input.messages": messages, ...more } = read(it.prompt(texts, undefined));
    const left = contents(messages);
    assert.equal(left.length, 16);
    assert.deepEqual(
      left.slice(1),
      texts.slice(-15).map(({ text }) => text),
    );
    assert.ok(left[0]!.length > 0 && texts[4]!.text.startsWith(left[0]!));
    assert.deepEqual(more, { "content.truncated": true });
  });

  test("what does not fit for its bytes goes the same way, and nothing older is in its place", () => {
    const texts = [user("short", "messages[0]"), ...conversation(31, (i) => filled(fills.control, 2000 + i))];
    const left = contents(read(recorder(4096).prompt(texts, undefined))["gen_ai.input.messages"]);
    assert.ok(left.length < 10, String(left.length));
    assert.deepEqual(
      left.slice(1),
      texts.slice(1 - left.length).map(({ text }) => text),
    );
    assert.ok(texts.at(-left.length)!.text.startsWith(left[0]!));
  });

  const marked: readonly [string, number, true | undefined, readonly ReturnType<typeof says>[]][] = [
    ["a text that is just as long", 16, undefined, [says("x".repeat(16))]],
    ["a longer one", 16, true, [says("x".repeat(17))]],
    ["one that has no room for its bytes", 65_536, true, [says("\u0001".repeat(20_000))]],
    ["as many choices", 16, undefined, Array(32).fill(says("x"))],
    ["more choices", 16, true, Array(33).fill(says("x"))],
  ];
  for (const [name, max, expected, choices] of marked)
    test(`is marked where something is left out: ${name}`, () => {
      const it = recorder(max);
      it.answer(choices);
      assert.equal(read(it.prompt([], undefined))["content.truncated"], expected);
    });

  test("is searched up to a limit, and nothing behind that is recorded", () => {
    let searched = 0;
    const find = (text: string) => {
      searched += text.length;
      return recognise(text);
    };
    const it = contentRecorder(65_536, find)([]) ?? assert.fail("no recorder");
    const secret = "ann@example.com ";
    const text = secret.repeat(3000);
    const all = JSON.stringify([
      it.answer([says(text, { reasoning: text, calls: text })]),
      it.prompt(
        conversation(32, () => text),
        text,
      ),
    ]);
    assert.equal(searched, mostChars);
    assert.doesNotMatch(all, /ann|example/);
  });
});
