import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { acceptsSystemPrompt, type Changes, editChat } from "../../src/chat/edit.ts";
import { type Chat, type LlmEndpoint, readChat } from "../../src/chat/request.ts";

function read(body: string, endpoint: LlmEndpoint = "chat"): Chat {
  const result = readChat(Buffer.from(body), endpoint);
  assert.ok(result.kind === "chat", JSON.stringify(result));
  return result.chat;
}

const edited = (body: string, changes: Changes, endpoint?: LlmEndpoint) =>
  Buffer.from(editChat(read(body, endpoint), changes)).toString();

const U = '{"role":"user","content":"q"}';
const M = `"messages":[${U}]`;
const insert = { systemPrompt: { text: 'Be "brief".', mode: "insert" } } as const;
const swap = { systemPrompt: { text: 'Be "brief".', mode: "replace" } } as const;
const P = '"Be \\"brief\\"."';
const none = { reasoning: { kind: "none" } } as const;
const effort = (value: string): Changes => ({ reasoning: { kind: "reasoning_effort", effort: value } });
const kwarg = (enabled: boolean): Changes => ({
  reasoning: { kind: "chat_template_kwargs", parameter: "think", enabled },
});
const withSystem = (message: string) => `{"model":"a","messages":[${message},${U}]}`;

const cases: readonly (readonly [name: string, body: string, changes: Changes, expected: string])[] = [
  ["sets the model", `{ "model" : "a" , ${M}}`, { model: "b/é" }, `{ "model" : "b/é" , ${M}}`],
  [
    "keeps every other byte",
    `\n{"x":1e400, "\\u006dodel":"\\u0061",\t"n":1.0,"stop":[ ],${M} }\n`,
    { model: "b" },
    `\n{"x":1e400, "\\u006dodel":"b",\t"n":1.0,"stop":[ ],${M} }\n`,
  ],
  ["removes the first member", `{ "reasoning_effort":"low" , "model":"a",${M}}`, none, `{ "model":"a",${M}}`],
  ["removes a middle member", `{"model":"a" , "reasoning_effort":null , ${M}}`, none, `{"model":"a" , ${M}}`],
  [
    "removes the last member",
    `{"model":"a",${M} , "reasoning_effort":{"a":[]} }`,
    none,
    `{"model":"a",${M} }`,
  ],
  ["adds the effort", `{"model":"a",${M} }`, effort("high"), `{"model":"a",${M},"reasoning_effort":"high" }`],
  [
    "replaces the effort",
    `{"model":"a","reasoning_effort": "low",${M}}`,
    effort("high"),
    `{"model":"a","reasoning_effort": "high",${M}}`,
  ],
  [
    "replaces a null effort",
    `{"reasoning_effort":null,"model":"a",${M}}`,
    effort("low"),
    `{"reasoning_effort":"low","model":"a",${M}}`,
  ],
  [
    "adds kwargs",
    `{"model":"a",${M}}`,
    kwarg(true),
    `{"model":"a",${M},"chat_template_kwargs":{"think":true}}`,
  ],
  [
    "adds to empty kwargs",
    `{"model":"a","chat_template_kwargs":{ },${M}}`,
    kwarg(true),
    `{"model":"a","chat_template_kwargs":{"think":true },${M}}`,
  ],
  [
    "adds to kwargs",
    `{"model":"a","chat_template_kwargs":{"x":1.0 },${M}}`,
    kwarg(false),
    `{"model":"a","chat_template_kwargs":{"x":1.0,"think":false },${M}}`,
  ],
  [
    "turns a kwarg off",
    `{"chat_template_kwargs":{"think": true,"x":1},"model":"a",${M}}`,
    kwarg(false),
    `{"chat_template_kwargs":{"think": false,"x":1},"model":"a",${M}}`,
  ],
  [
    "replaces a kwarg of another type",
    `{"chat_template_kwargs":{"think":"yes"},"model":"a",${M}}`,
    kwarg(true),
    `{"chat_template_kwargs":{"think":true},"model":"a",${M}}`,
  ],
  [
    "replaces null kwargs",
    `{"model":"a","chat_template_kwargs":null,${M}}`,
    kwarg(true),
    `{"model":"a","chat_template_kwargs":{"think":true},${M}}`,
  ],
  [
    "puts kwargs in the place of a last effort",
    `{"model":"a",${M},"reasoning_effort":"low"}`,
    kwarg(true),
    `{"model":"a",${M},"chat_template_kwargs":{"think":true}}`,
  ],
  [
    "adds a kwarg right before the effort that goes",
    `{"model":"a",${M},"chat_template_kwargs":{},"reasoning_effort":"low"}`,
    kwarg(true),
    `{"model":"a",${M},"chat_template_kwargs":{"think":true}}`,
  ],
  [
    "prepends a system message",
    `{"model":"a","messages":[ ${U}]}`,
    insert,
    `{"model":"a","messages":[{"role":"system","content":${P}}, ${U}]}`,
  ],
  [
    "does not take developer for system",
    withSystem('{"role":"developer","content":"d"}'),
    swap,
    withSystem(`{"role":"system","content":${P}},{"role":"developer","content":"d"}`),
  ],
  [
    "does not take a later system message",
    `{"model":"a","messages":[${U},{"role":"system","content":"s"}]}`,
    swap,
    `{"model":"a","messages":[{"role":"system","content":${P}},${U},{"role":"system","content":"s"}]}`,
  ],
  [
    "replaces a string",
    withSystem('{"content": "old" ,"role":"system"}'),
    swap,
    withSystem(`{"content": ${P} ,"role":"system"}`),
  ],
  [
    "replaces parts",
    withSystem('{"role":"system","content":[{"type":"text","text":"old"}]}'),
    swap,
    withSystem(`{"role":"system","content":${P}}`),
  ],
  [
    "replaces null",
    withSystem('{"role":"system","content":null}'),
    swap,
    withSystem(`{"role":"system","content":${P}}`),
  ],
  [
    "adds content that is absent",
    withSystem('{"role":"\\u0073ystem" }'),
    swap,
    withSystem(`{"role":"\\u0073ystem","content":${P} }`),
  ],
  [
    "inserts before a string",
    withSystem('{"role":"system","content":"\\u006fld"}'),
    insert,
    withSystem(`{"role":"system","content":${P.slice(0, -1)}\\n\\n\\u006fld"}`),
  ],
  [
    "inserts before parts",
    withSystem('{"role":"system","content":[ {"type":"text","text":"old"}]}'),
    insert,
    withSystem(`{"role":"system","content":[{"type":"text","text":${P}}, {"type":"text","text":"old"}]}`),
  ],
  [
    "inserts into no parts",
    withSystem('{"role":"system","content":[ ]}'),
    insert,
    withSystem(`{"role":"system","content":[{"type":"text","text":${P}} ]}`),
  ],
  [
    "inserts for null",
    withSystem('{"role":"system","content":null}'),
    insert,
    withSystem(`{"role":"system","content":${P}}`),
  ],
  [
    "inserts where content is absent",
    withSystem('{"role":"system"}'),
    insert,
    withSystem(`{"role":"system","content":${P}}`),
  ],
  [
    "makes all changes at once",
    `{"reasoning_effort":"low",${M},"model":"a"}`,
    { model: "b", ...insert, ...kwarg(false) },
    `{"messages":[{"role":"system","content":${P}},${U}],"model":"b","chat_template_kwargs":{"think":false}}`,
  ],
];

describe("editChat", () => {
  for (const [name, body, changes, expected] of cases) {
    it(name, () => assert.equal(edited(body, changes), expected));
  }

  it("gives the very same bytes when nothing changes", () => {
    const all = `{"model":"\\u0061","reasoning_effort":"low","chat_template_kwargs":{"think":true},"messages":[{"role":"system","content":${P}},${U}]}`;
    const chat = read(all);
    const sameAgain: Changes[] = [
      {},
      { model: "a" },
      effort("low"),
      swap,
      { systemPrompt: { text: "", mode: "insert" } },
    ];
    for (const changes of sameAgain) assert.equal(editChat(chat, changes), chat.bytes);
    const bare = read(`{"model":"a","chat_template_kwargs":{"think":true},${M}}`);
    for (const changes of [none, kwarg(true)]) assert.equal(editChat(bare, changes), bare.bytes);
  });

  it("has no place for a system prompt in a completion request, not even with messages in it", () => {
    const body = `{"model":"a","prompt":"p",${M}}`;
    const chat = read(body, "completions");
    assert.equal(acceptsSystemPrompt(chat), false);
    assert.equal(editChat(chat, swap), chat.bytes);
    assert.equal(
      edited(body, { model: "b", ...swap, ...effort("low") }, "completions"),
      `{"model":"b","prompt":"p",${M},"reasoning_effort":"low"}`,
    );
    assert.equal(acceptsSystemPrompt(read(body)), true);
  });

  it("spells what it writes as JSON", () => {
    const changes: Changes = {
      model: '"\\\n\ud800',
      reasoning: { kind: "chat_template_kwargs", parameter: 'a"b', enabled: true },
    };
    const result = JSON.parse(edited(`{"model":"a",${M}}`, changes)) as Record<string, unknown>;
    assert.equal(result.model, '"\\\n\ud800');
    assert.deepEqual(result.chat_template_kwargs, { 'a"b': true });
  });

  it("leaves the chat as it was", () => {
    const chat = read(`{"model":"a",${M}}`);
    const before = Buffer.from(chat.bytes);
    editChat(chat, { model: "b", ...insert, ...kwarg(true) });
    assert.deepEqual(chat.bytes, before);
  });
});
