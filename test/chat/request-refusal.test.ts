import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type LlmEndpoint, type Malformed, readChat } from "../../src/chat/request.ts";

const bytesOf = (body: unknown) => Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
const user = { role: "user", content: "hi" };
const chatOf = (...messages: unknown[]) => ({ model: "auto", messages });
const withUser = (fields: object) => chatOf({ ...user, ...fields });
const parts = (...content: unknown[]) => chatOf({ role: "user", content });

type Refusal = readonly [
  name: string,
  body: unknown,
  code: Malformed["code"],
  param?: string,
  endpoint?: LlmEndpoint,
];

const refusals: readonly Refusal[] = [
  ["nothing", "", "empty_body"],
  ["white space", " \n", "empty_body"],
  ["no JSON", "{SECRET", "invalid_json"],
  [
    "a repeated key",
    '{"model":"a","messages":[{"role":"user","content":"x","content":"SECRET"}]}',
    "duplicate_key",
  ],
  ["deep nesting", `{"model":"a","x":${"[".repeat(128)}${"]".repeat(128)}}`, "too_deep"],
  ["an array", [], "not_an_object"],
  ["a string", '"SECRET"', "not_an_object"],
  ["no model", { messages: [user] }, "missing_field", "model"],
  ["a null model", { model: null, messages: [user] }, "missing_field", "model"],
  ["an empty model", { model: "", messages: [user] }, "missing_field", "model"],
  ["a number as model", { model: 1, messages: [user] }, "wrong_type", "model"],
  ["a string as stream", { ...chatOf(user), stream: "SECRET" }, "wrong_type", "stream"],
  ["a number as stream", { ...chatOf(user), stream: 1 }, "wrong_type", "stream"],
  ["a list as stream_options", { ...chatOf(user), stream_options: [] }, "wrong_type", "stream_options"],
  [
    "include_usage",
    { ...chatOf(user), stream_options: { include_usage: 1 } },
    "wrong_type",
    "stream_options.include_usage",
  ],
  ["a number as user", { ...chatOf(user), user: 1 }, "wrong_type", "user"],
  ["a string as max_tokens", { ...chatOf(user), max_tokens: "5" }, "wrong_type", "max_tokens"],
  [
    "max_completion_tokens",
    { ...chatOf(user), max_completion_tokens: [] },
    "wrong_type",
    "max_completion_tokens",
  ],
  ["no messages", { model: "a" }, "missing_field", "messages"],
  ["null messages", { model: "a", messages: null }, "missing_field", "messages"],
  ["an object as messages", { model: "a", messages: { 0: user } }, "wrong_type", "messages"],
  ["empty messages", chatOf(), "no_messages", "messages"],
  ["a string as message", chatOf(user, "SECRET"), "wrong_type", "messages[1]"],
  ["a null message", chatOf(null), "missing_field", "messages[0]"],
  ["no role", chatOf({ content: "SECRET" }), "missing_field", "messages[0].role"],
  ["a number as role", chatOf({ role: 1, content: "x" }), "wrong_type", "messages[0].role"],
  ["a number as content", chatOf({ role: "user", content: 1 }), "wrong_type", "messages[0].content"],
  [
    "an object as content",
    chatOf({ role: "user", content: { text: "SECRET" } }),
    "wrong_type",
    "messages[0].content",
  ],
  ["a string as part", parts("SECRET"), "wrong_type", "messages[0].content[0]"],
  ["a null part", parts({ type: "text", text: "x" }, null), "missing_field", "messages[0].content[1]"],
  ["a part without type", parts({ text: "SECRET" }), "missing_field", "messages[0].content[0].type"],
  ["a number as part type", parts({ type: 1 }), "wrong_type", "messages[0].content[0].type"],
  ["a text part without text", parts({ type: "text" }), "missing_field", "messages[0].content[0].text"],
  ["a number as text", parts({ type: "text", text: 1 }), "wrong_type", "messages[0].content[0].text"],
  ["a number as name", withUser({ name: 1 }), "wrong_type", "messages[0].name"],
  ["a list as refusal", withUser({ refusal: [] }), "wrong_type", "messages[0].refusal"],
  ["an object as tool_call_id", withUser({ tool_call_id: {} }), "wrong_type", "messages[0].tool_call_id"],
  ["an object as tool_calls", withUser({ tool_calls: {} }), "wrong_type", "messages[0].tool_calls"],
  ["a string as tool call", withUser({ tool_calls: ["SECRET"] }), "wrong_type", "messages[0].tool_calls[0]"],
  [
    "function",
    withUser({ tool_calls: [{ function: "SECRET" }] }),
    "wrong_type",
    "messages[0].tool_calls[0].function",
  ],
  [
    "arguments",
    withUser({ function_call: { arguments: {} } }),
    "wrong_type",
    "messages[0].function_call.arguments",
  ],
  ["no user message", chatOf({ role: "system", content: "x" }), "no_user_text", "messages"],
  ["a blank user message", chatOf({ role: "user", content: " \n\u00a0" }), "no_user_text", "messages"],
  ["a role that only looks like user", chatOf({ role: "User", content: "x" }), "no_user_text", "messages"],
  [
    "an image alone",
    parts({ type: "image_url", image_url: { url: "http://x" } }),
    "no_user_text",
    "messages",
  ],
  ["a prompt for chat", { model: "a", prompt: "x" }, "missing_field", "messages"],
  ["no prompt", { model: "a", messages: [user] }, "missing_field", "prompt", "completions"],
  ["an object as prompt", { model: "a", prompt: {} }, "wrong_type", "prompt", "completions"],
  ["a null among prompts", { model: "a", prompt: ["x", null] }, "wrong_type", "prompt[1]", "completions"],
  ["an empty list of prompts", { model: "a", prompt: [] }, "no_user_text", "prompt", "completions"],
  ["a blank prompt", { model: "a", prompt: [" "] }, "no_user_text", "prompt", "completions"],
  ["token ids", { model: "a", prompt: [1, 2] }, "token_ids", "prompt", "completions"],
  ["lists of token ids", { model: "a", prompt: [[1], [2]] }, "token_ids", "prompt", "completions"],
  ["token ids among text", { model: "a", prompt: ["x", 1] }, "token_ids", "prompt", "completions"],
  [
    "prompt_embeds",
    { model: "a", prompt: "x", prompt_embeds: "SECRET" },
    "token_ids",
    "prompt_embeds",
    "completions",
  ],
  ["a number as suffix", { model: "a", prompt: "x", suffix: 1 }, "wrong_type", "suffix", "completions"],
];

describe("readChat refuses", () => {
  for (const [name, body, code, param, endpoint = "chat"] of refusals) {
    it(`${name}: ${code}`, () => {
      const result = readChat(bytesOf(body), endpoint);
      assert.ok(result.kind === "malformed");
      assert.deepEqual([result.code, result.param], [code, param]);
      assert.ok(result.message.length > 20 && !result.message.includes("SECRET"), result.message);
      if (param !== undefined)
        assert.ok(result.message.includes(`\`${param}\``) || code.startsWith("no_"), result.message);
    });
  }

  it("bytes that are not UTF-8", () => {
    const result = readChat(Buffer.from([0x7b, 0xff]), "chat");
    assert.ok(result.kind === "malformed" && result.code === "not_utf8");
    assert.match(result.message, /byte 1/);
  });

  it("what is deeper than it is told", () => {
    assert.equal(readChat(bytesOf(chatOf(user)), "chat", { maxDepth: 3 }).kind, "chat");
    assert.equal(readChat(bytesOf(chatOf(user)), "chat", { maxDepth: 2 }).kind, "malformed");
  });
});
