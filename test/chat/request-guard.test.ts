import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Chat, type LlmEndpoint, readChat } from "../../src/chat/request.ts";
import { surroundingTexts } from "../../src/chat/request-surroundings.ts";

function read(body: unknown, endpoint: LlmEndpoint = "chat"): Chat {
  const result = readChat(Buffer.from(JSON.stringify(body)), endpoint);
  assert.ok(result.kind === "chat", `refused: ${JSON.stringify(result)}`);
  return result.chat;
}
const user = { role: "user", content: "hi" };
const chatOf = (...messages: unknown[]) => ({ model: "auto", messages });

/** `[role, where, text]` of every utterance. */
const said = (chat: Chat) => chat.utterances.map((one) => [one.role, one.where, one.text]);

describe("readChat lets guards see", () => {
  const call = { id: "call_1", type: "function", function: { name: "find", arguments: '{"q":"\\u0041b"}' } };
  const heard: readonly (readonly [
    name: string,
    message: object,
    expected: readonly (readonly string[])[],
  ])[] = [
    ...["system", "assistant", "tool", "function", "developer", "critic"].map(
      (role) => [role, { role, content: "x y" }, [[role, ".content", "x y"]]] as const,
    ),
    [
      "a role that hides text",
      { role: "a b", content: "x" },
      [
        ["other", ".role", "a b"],
        ["other", ".content", "x"],
      ],
    ],
    ["no content", { role: "assistant" }, []],
    ["null content", { role: "assistant", content: null }, []],
    ["an empty content", { role: "assistant", content: "" }, []],
    [
      "a name",
      { role: "tool", name: "n m", content: "x" },
      [
        ["tool", ".name", "n m"],
        ["tool", ".content", "x"],
      ],
    ],
    ["a refusal", { role: "assistant", refusal: "no" }, [["assistant", ".refusal", "no"]]],
    [
      "tool calls, with their escapes resolved",
      { role: "assistant", content: null, tool_calls: [call] },
      [
        ["assistant", ".tool_calls[0].function.name", "find"],
        ["assistant", ".tool_calls[0].function.arguments", '{"q":"Ab"}'],
      ],
    ],
    [
      "tool calls whose escapes would keep numbers from being numbers",
      {
        role: "assistant",
        tool_calls: [{ ...call, function: { name: "f", arguments: '{"c":"\\n4111\\/1","d":"\\"\\\\"}' } }],
      },
      [
        ["assistant", ".tool_calls[0].function.name", "f"],
        ["assistant", ".tool_calls[0].function.arguments", '{"c":" 4111/1","d":"\\"\\\\"}'],
      ],
    ],
    [
      "custom tool calls",
      {
        role: "assistant",
        tool_calls: [{ id: "c", type: "custom", custom: { name: "n", input: "in put" } }],
      },
      [["assistant", ".tool_calls[0].custom", "n\nin put"]],
    ],
    [
      "text in the id of a tool call",
      { role: "assistant", tool_calls: [{ ...call, id: "do it", function: { name: "f", arguments: "" } }] },
      [
        ["assistant", ".tool_calls[0]", "do it"],
        ["assistant", ".tool_calls[0].function.name", "f"],
      ],
    ],
    [
      "a function_call",
      { role: "assistant", function_call: { name: "f", arguments: "{}", extra: "e" } },
      [
        ["assistant", ".function_call.name", "f"],
        ["assistant", ".function_call.arguments", "{}"],
        ["assistant", ".function_call", "e"],
      ],
    ],
    ["an id", { role: "tool", tool_call_id: "call_1" }, []],
    [
      "text in place of an id",
      { role: "tool", tool_call_id: "call me" },
      [["tool", ".tool_call_id", "call me"]],
    ],
    [
      "reasoning_content",
      { role: "assistant", reasoning_content: "hm" },
      [["assistant", ".reasoning_content", "hm"]],
    ],
    ["unknown fields", { role: "assistant", zip: [{ zap: "a" }, "b"], n: 1 }, [["assistant", "", "a\nb"]]],
    [
      "unknown field names",
      { role: "assistant", "do this": 1, x: { "and that": 2 } },
      [
        ["assistant", "", "do this"],
        ["assistant", "", "and that"],
      ],
    ],
    [
      "one text part",
      { role: "tool", content: [{ type: "text", text: "a" }] },
      [["tool", ".content[0].text", "a"]],
    ],
    [
      "text parts as one text",
      {
        role: "tool",
        content: [
          { type: "text", text: "a" },
          { type: "input_text", text: "b" },
          { type: "output_text", text: "c" },
        ],
      },
      [["tool", ".content", "a\nb\nc"]],
    ],
    [
      "text beside a part's text",
      {
        role: "tool",
        content: [
          { type: "text", text: "a", cache_control: { type: "ephemeral" } },
          { type: "text", text: "b", note: "n" },
        ],
      },
      [
        ["tool", ".content", "a\nb"],
        ["tool", ".content[1]", "n"],
      ],
    ],
    [
      "unknown parts",
      {
        role: "tool",
        content: [
          { type: "poem", lines: ["a", { by: "b" }] },
          { type: "refusal", refusal: "no" },
        ],
      },
      [
        ["tool", ".content[0]", "a\nb"],
        ["tool", ".content[1]", "no"],
      ],
    ],
    [
      "a part type that hides text",
      { role: "tool", content: [{ type: "say so" }] },
      [["tool", ".content[0]", "say so"]],
    ],
    [
      "media parts, but for their data",
      {
        role: "tool",
        content: [
          { type: "image_url", image_url: { url: "data:abc", detail: "low" }, text: "t" },
          { type: "input_audio", input_audio: { data: "abc", format: "wav" } },
          { type: "file", file: { file_data: "abc", filename: "f.pdf" } },
        ],
      },
      [
        ["tool", ".content[0]", "t"],
        ["tool", ".content[2]", "f.pdf"],
      ],
    ],
  ];
  for (const [name, message, expected] of heard) {
    it(name, () => {
      const chat = read(chatOf(message, user));
      assert.deepEqual(said(chat), [
        ...expected.map(([role, where, text]) => [role, `messages[0]${where}`, text]),
        ["user", "messages[1].content", "hi"],
      ]);
      assert.equal(chat.lastUser, expected.length);
    });
  }

  it("prompt and suffix", () => {
    const chat = read({ model: "a", prompt: ["a", "", "b"], suffix: "c" }, "completions");
    assert.deepEqual(said(chat), [
      ["user", "prompt[0]", "a"],
      ["user", "prompt[2]", "b"],
      ["user", "suffix", "c"],
    ]);
    assert.deepEqual([chat.lastUser, chat.lastTurnIsText], [1, true]);
    const one = read({ model: "a", prompt: "p", suffix: null }, "completions");
    assert.deepEqual([said(one), one.lastUser], [[["user", "prompt", "p"]], 0]);
    assert.equal(read({ model: "a", prompt: ["a", " "] }, "completions").lastTurnIsText, false);
  });

  it("text around the conversation, apart", () => {
    const body = {
      ...chatOf(user),
      tools: [
        { type: "function", function: { name: "f", description: "Do it.", parameters: { type: "object" } } },
      ],
      response_format: { type: "json_object" },
      prompt: "un read",
      own: ["x y", "one", 4111111111111111, 42],
      stop: ["a b"],
    };
    assert.deepEqual(surroundingTexts(read(body)), [
      { role: "surroundings", where: "tools", text: "f\nDo it." },
      { role: "surroundings", where: "another field", text: "un read" },
      { role: "surroundings", where: "another field", text: "x y\none\n4111111111111111" },
    ]);
    assert.deepEqual(
      surroundingTexts(read({ model: "a", prompt: "p q", messages: ["m n"] }, "completions")).length,
      1,
    );
  });
});
