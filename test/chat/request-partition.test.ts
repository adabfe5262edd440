import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type LlmEndpoint, partitionInput, readChat } from "../../src/chat/request.ts";

function feed(body: string, endpoint: LlmEndpoint = "chat"): string {
  const result = readChat(Buffer.from(body), endpoint);
  assert.ok(result.kind === "chat", JSON.stringify(result));
  const parts: Buffer[] = [];
  partitionInput(result.chat, (part) => parts.push(Buffer.from(part as string)));
  return Buffer.concat(parts).toString("latin1");
}

const base =
  '{"model":"a","temperature":1.0,"messages":[{"role":"system","content":"s"},{"role":"user","content":"q"}]}';
const swap = (from: string, to: string) => {
  assert.ok(base.includes(from));
  return base.replace(from, to);
};

describe("partitionInput", () => {
  const same: readonly (readonly [name: string, body: string])[] = [
    ["the last user turn's text", swap('"q"', '"another \\n question"')],
    ["the order of top-level members", `{${base.slice(base.indexOf('"temp'), -1)},"model":"a"}`],
    ["white space between top-level members", swap(',"messages":', ' , "messages" : ')],
    ["the spelling of top-level keys", swap('"model"', '"\\u006dodel"')],
    [
      "stream, stream_options and user",
      swap("}]}", '}],"stream":true,"stream_options":{"include_usage":true},"user":"u"}'),
    ],
  ];
  for (const [name, body] of same) {
    it(`leaves out ${name}`, () => assert.equal(feed(body), feed(base)));
  }

  const other: readonly (readonly [name: string, body: string])[] = [
    ["the model", swap('"a"', '"b"')],
    ["the system prompt", swap('"s"', '"t"')],
    ["the spelling of a number", swap("1.0", "1")],
    ["an unknown field", swap("}]}", '}],"x":0}')],
    ["the value of an unknown field", swap("}]}", '}],"x":1}')],
    ["a field of the last turn", swap('"q"', '"q","name":"n"')],
    ["parts in place of a string", swap('"q"', '[{"type":"text","text":"q"}]')],
    ["one more part", swap('"q"', '[{"type":"text","text":"q"},{"type":"text","text":"r"}]')],
    ["one more turn", swap('"user","content":"q"', '"user","content":"p"},{"role":"user","content":"q"')],
    ["an earlier turn", swap('"user","content":"q"', '"user","content":"o"},{"role":"user","content":"q"')],
    ["a lone surrogate as key", swap("}]}", '}],"\\ud800":0}')],
    ["U+FFFD as key", swap("}]}", '}],"\ufffd":0}')],
  ];
  it("tells everything else apart", () => {
    const feeds = new Map<string, string>();
    for (const [name, body] of [["base", base] as const, ...other]) {
      const one = feed(body);
      assert.equal(feeds.get(one), undefined, name);
      feeds.set(one, name);
    }
  });

  it("leaves out the last prompt only", () => {
    const prompts = (json: string) => feed(`{"model":"a","prompt":${json}}`, "completions");
    assert.equal(prompts('"x"'), prompts('"y"'));
    assert.equal(prompts('["x","y"]'), prompts('["x","z"]'));
    assert.notEqual(prompts('["x","y"]'), prompts('["z","y"]'));
    assert.notEqual(prompts('"x"'), prompts('["x"]'));
    const both = '{"model":"a","prompt":"p","messages":[{"role":"user","content":"q"}]}';
    assert.notEqual(feed(both), feed(both, "completions"));
  });

  it("holds no text of the last user turn", () => {
    assert.ok(!feed(swap('"q"', '"NEEDLE"')).includes("NEEDLE"));
  });
});
