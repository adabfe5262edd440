import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Chat, hasReasoningEffort, type LlmEndpoint, readChat } from "../../src/chat/request.ts";

const bytesOf = (body: unknown) => Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
function read(body: unknown, endpoint: LlmEndpoint = "chat"): Chat {
  const result = readChat(bytesOf(body), endpoint);
  assert.ok(result.kind === "chat", `refused: ${JSON.stringify(result)}`);
  return result.chat;
}
const user = { role: "user", content: "hi" };
const chatOf = (...messages: unknown[]) => ({ model: "auto", messages });

describe("readChat finds", () => {
  const image = { type: "image_url", image_url: { url: "http://x" } };
  const text = { type: "text", text: "see" };
  const turns: readonly (readonly [
    name: string,
    messages: unknown[],
    lastUserText: string,
    isText: boolean,
    images: boolean,
  ])[] = [
    ["the last of two user turns", [user, { role: "user", content: "b" }], "b", true, false],
    ["a user turn before tool results", [user, { role: "tool", content: "r" }], "hi", false, false],
    ["text parts joined", [{ role: "user", content: [text, text] }], "see\nsee", true, false],
    ["an image beside text", [{ role: "user", content: [text, image] }], "see", false, true],
    ["an image in an earlier turn", [{ role: "user", content: [text, image] }, user], "hi", true, true],
    [
      "an input_image",
      [{ role: "user", content: [text, { type: "input_image", image_url: "data:x" }] }],
      "see",
      false,
      true,
    ],
    [
      "an image in a part of unknown type",
      [{ role: "user", content: [text, { ...image, type: "picture" }] }],
      "see",
      false,
      true,
    ],
    ["a blank last turn", [user, { role: "user", content: " " }], "hi", false, false],
    ["an empty last turn", [user, { role: "user", content: [] }], "hi", false, false],
    ["a name before content", [{ name: "n", ...user }], "hi", true, false],
  ];
  for (const [name, messages, lastUserText, isText, images] of turns) {
    it(`the last user turn: ${name}`, () => {
      const chat = read(chatOf(...messages));
      assert.equal(chat.utterances[chat.lastUser]?.text, lastUserText);
      assert.deepEqual([chat.lastTurnIsText, chat.hasImages], [isText, images]);
    });
  }

  it("the plain fields", () => {
    const bare = read(chatOf(user));
    assert.deepEqual(
      [bare.requestedModel, bare.stream, bare.includeUsage, bare.user, bare.maxTokens],
      ["auto", false, false, undefined, undefined],
    );
    assert.equal(hasReasoningEffort(bare), false);
    assert.ok(!("user" in bare) && !("maxTokens" in bare));
    const full = read({
      ...chatOf(user),
      stream: true,
      stream_options: { include_usage: true },
      user: "u",
      max_tokens: 5,
      reasoning_effort: "low",
    });
    assert.deepEqual([full.stream, full.includeUsage, full.user, full.maxTokens], [true, true, "u", 5]);
    assert.equal(hasReasoningEffort(full), true);
    const nulls = read({ ...chatOf(user), stream: null, stream_options: null, user: null, max_tokens: null });
    assert.deepEqual(
      [nulls.stream, nulls.includeUsage, nulls.user, nulls.maxTokens],
      [false, false, undefined, undefined],
    );
    assert.equal(read({ ...chatOf(user), max_tokens: 5, max_completion_tokens: 7 }).maxTokens, 7);
    assert.equal(
      read('{"model":"a","messages":[{"role":"user","content":"x"}],"max_tokens":1e400}').maxTokens,
      undefined,
    );
  });
});
