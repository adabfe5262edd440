import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AnswerText, type SpokenChoice } from "../../src/chat/answer-text.ts";
import { recognise } from "../../src/models/recognisers.ts";
import { contentRecorder } from "../../src/telemetry/content.ts";

/** A piece of a tool call; without `index`, as some servers have it. */
const piece = (said: unknown, more: object = { index: 0 }) => ({
  choices: [{ index: 0, delta: { tool_calls: [{ ...more, function: said }] } }],
});
const gather = (frames: readonly object[], limit = 4096) => {
  const said = new AnswerText(limit);
  for (const frame of frames) said.addFrame(frame as Record<string, unknown>);
  return said.choices();
};
const callsOf = (frames: readonly object[], limit?: number) => gather(frames, limit)[0]?.calls;
const whole = (message: object, more: object = {}) => {
  const said = new AnswerText(4096);
  said.addWhole({ choices: [{ index: 0, message, ...more }] });
  return said.choices();
};
/** As a span has it. */
const recorded = (choices: readonly SpokenChoice[]) => {
  const it = contentRecorder(4096, recognise)([]) ?? assert.fail("no recorder");
  return JSON.stringify(it.answer(choices));
};

describe("the pieces of a tool call are one text", () => {
  const pieces = ['{"to":"', "ann", "@exam", "ple.com", '","card":"411111', '1111111111"}'];
  const args = pieces.join("");
  const from = (name: unknown, more: (i: number) => object) =>
    pieces.map((arguments_, i) =>
      piece({ ...(i === 0 ? { name: "send" } : { name }), arguments: arguments_ }, more(i)),
    );
  const rows: readonly [string, readonly object[]][] = [
    ["no name in later ones", from(undefined, () => ({ index: 0 }))],
    ["null for a name", from(null, () => ({ index: 0 }))],
    ["an empty name", from("", () => ({ index: 0 }))],
    ["the name again", from("send", () => ({ index: 0 }))],
    ["the id again", from("send", () => ({ index: 0, id: "a" }))],
    ["a new id with each, as vLLM has sent it", from(null, (i) => ({ index: 0, id: `id-${i}` }))],
    ["an id at first", from(undefined, (i) => ({ index: 0, ...(i === 0 && { id: "a" }) }))],
    ["no index", from(undefined, () => ({}))],
    ["null for an index", from(undefined, () => ({ index: null }))],
  ];
  for (const [name, frames] of rows)
    test(name, () => {
      assert.equal(callsOf(frames), `send${args}`);
      assert.doesNotMatch(recorded(gather(frames)), /ann|exam|4111/);
    });

  test("function_call, of before there were tools", () => {
    const frames = pieces.map((arguments_, i) => ({
      choices: [
        { index: 0, delta: { function_call: { ...(i === 0 && { name: "send" }), arguments: arguments_ } } },
      ],
    }));
    assert.equal(callsOf(frames), `send${args}`);
  });
});

describe("calls are told apart", () => {
  test("by index, whatever order their pieces come in", () => {
    const frames = [
      piece({ name: "a", arguments: '{"to":"ann' }),
      piece({ name: "b", arguments: '{"card":"41111' }, { index: 1 }),
      piece({ arguments: "@exam" }),
      piece({ arguments: '11111111111"}' }, { index: 1 }),
      piece({ arguments: 'ple.com"}' }),
    ];
    assert.equal(callsOf(frames), 'a{"to":"ann@example.com"}\nb{"card":"4111111111111111"}');
    assert.doesNotMatch(recorded(gather(frames)), /ann|exam|4111/);
  });

  test("by id and name where all have the same index, or none", () => {
    for (const more of [{ index: 0 }, {}]) {
      const frames = [
        piece({ name: "a", arguments: '{"x"' }, { ...more, id: "1" }),
        piece({ arguments: ":1}" }, more),
        piece({ name: "b", arguments: "{" }, { ...more, id: "2" }),
        piece({ arguments: "}" }, more),
      ];
      assert.equal(callsOf(frames), 'a{"x":1}\nb{}');
    }
  });

  test("in one message, whatever they are numbered", () => {
    const call = (name: string, args: string) => ({
      id: "1",
      index: 0,
      function: { name, arguments: args },
    });
    const message = { tool_calls: [call("a", "ann@example.com"), call("b", "bob@example.com")] };
    assert.equal(whole(message)[0]?.calls, "a ann@example.com\nb bob@example.com");
    assert.doesNotMatch(recorded(whole(message)), /ann|bob|exam/);
  });

  test("to a number, and what comes after that is no part of the others", () => {
    const frames = Array.from({ length: 40 }, (_, i) => [
      piece({ name: `f${i}`, arguments: "{" }, { index: 0, id: `id-${i}` }),
      piece({ arguments: "}" }),
    ]).flat();
    assert.equal(callsOf(frames), Array.from({ length: 32 }, (_, i) => `f${i}{}`).join("\n"));
  });
});

describe("escapes in arguments are resolved", () => {
  const rows: readonly [string, string, string][] = [
    ["a character", '{"to":"ann\\u0040example.com"}', '{"to":"ann@example.com"}'],
    ["white space and slashes", '{"c":"x\\n4111\\/\\t"}', '{"c":"x 4111/ "}'],
    ["no quotes", '{"c":"\\"x\\""}', '{"c":"\\"x\\""}'],
    ["what is none", '{"c":"\\u00zz\\', '{"c":"\\u00zz\\'],
  ];
  for (const [name, args, expected] of rows)
    test(name, () => {
      assert.equal(whole({ tool_calls: [{ function: { arguments: args } }] })[0]?.calls, expected);
      const one = [...args].map((arguments_) => piece({ arguments: arguments_ }));
      assert.equal(callsOf(one), expected, "one character at a time");
    });

  test("before personal data is looked for", () => {
    for (const args of ['{"to":"ann\\u0040example.com"}', '{"card":"\\n4111111111111111"}'])
      assert.doesNotMatch(recorded(whole({ tool_calls: [{ function: { arguments: args } }] })), /ann|4111/);
  });

  test("and count as what they spell, so that arguments which were cut are longer than asked for", () => {
    const frames = Array.from({ length: 20 }, () => piece({ arguments: "\\u0041" }));
    assert.equal(callsOf(frames, 10), "A".repeat(11));
  });
});

describe("what stands apart is not joined", () => {
  test("choices of a completion with one index", () => {
    const said = new AnswerText(4096);
    const choice = (content: string) => ({ index: 0, message: { content }, finish_reason: "stop" });
    said.addWhole({ choices: [choice("ann@example.com"), choice("c1 bob@example.com")] });
    assert.deepEqual(
      said.choices().map(({ text }) => text),
      ["ann@example.com", "c1 bob@example.com"],
    );
    assert.doesNotMatch(recorded(said.choices()), /ann|bob|exam/);
  });

  test("a text and a refusal", () => {
    const said = whole({ content: "ann@example.com", refusal: "no" });
    assert.equal(said[0]?.text, "ann@example.com\nno");
    assert.doesNotMatch(recorded(said), /ann|exam/);
  });

  test("a name and a number behind it", () => {
    const said = whole({ tool_calls: [{ function: { name: "pay", arguments: "4111111111111111" } }] });
    assert.equal(said[0]?.calls, "pay 4111111111111111");
    assert.doesNotMatch(recorded(said), /4111/);
  });

  test("a text around reasoning is one", () => {
    const frames = [{ content: "ann@" }, { reasoning: "hm" }, { content: "example.com" }].map((delta) => ({
      choices: [{ index: 0, delta }],
    }));
    assert.deepEqual(
      gather(frames).map(({ text, reasoning }) => [text, reasoning]),
      [["ann@example.com", "hm"]],
    );
  });
});

test("a finish reason that nobody knows is no text to show", () => {
  const rows = [
    ["ann@example.com", "other"],
    ["stop", "stop"],
    ["function_call", "function_call"],
    [null, undefined],
    ["", undefined],
  ] as const;
  for (const [finish_reason, expected] of rows)
    assert.equal(
      whole({ content: "x" }, { finish_reason })[0]?.finishReason,
      expected,
      String(finish_reason),
    );
});

test("fields of other kinds are passed over", () => {
  const odd = [
    { tool_calls: "x" },
    { tool_calls: [null, 7, { function: 7 }, { function: {} }, { function: { name: 7, arguments: {} } }] },
    { function_call: [] },
  ];
  for (const one of odd) {
    assert.equal(whole(one)[0]?.calls, "");
    assert.equal(gather([{ choices: [{ index: 0, delta: one }] }])[0]?.calls, "");
  }
});
