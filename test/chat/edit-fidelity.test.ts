import assert from "node:assert/strict";
import { it } from "node:test";
import { type Changes, editChat } from "../../src/chat/edit.ts";
import { readChat } from "../../src/chat/request.ts";
import { Generator } from "./json-generator.ts";

/** One member of an object with all its white space: `pre key mid value post`. */
interface Piece {
  name: string;
  pre: string;
  key: string;
  mid: string;
  value: string;
  post: string;
}

/** A system message's content: its JSON, or what stands between the brackets of its parts. */
type Content = { kind: "string" | "other"; json: string } | { kind: "array"; inner: string; empty: boolean };

/** A body in pieces, so that the expected body is put together from them and not from what `editChat` knows. */
interface Body {
  root: Piece[];
  kwargs: Piece[] | "null" | undefined;
  kwargsSpace: string;
  /** The first message, when it is a system message; its content's value is in `content`. */
  system: Piece[] | undefined;
  content: Content | undefined;
  /** Text of `messages` right after `[`, and after the system message. */
  messagesSpace: string;
  rest: string;
}

const PROMPTS = ["Be brief.", 'Say "hi"\n', "é😀", "\ud800"];
const EFFORTS = ["low", "high"];

function piece(random: Generator, name: string, value: string): Piece {
  const [pre, post] = [random.space(), random.space()];
  return { name, pre, key: random.string(name), mid: `${random.space()}:${random.space()}`, value, post };
}

function generate(random: Generator): Body {
  const unknown = Array.from({ length: random.int(4) }, (_, i) =>
    piece(random, `${random.text()}${i}`, random.value(3)),
  );
  const effort = random.chance(80) ? random.string(random.pick(EFFORTS)) : random.pick(["null", "1.0", "{}"]);
  let kwargs: Body["kwargs"];
  if (random.chance(50)) {
    const others = Array.from({ length: random.int(3) }, (_, i) => piece(random, `k${i}`, random.value(2)));
    const think = piece(random, "think", random.pick(["true", "false", "null", '"on"']));
    kwargs = random.chance(10) ? "null" : random.shuffled(random.chance(50) ? [...others, think] : others);
  }
  let content: Content | undefined;
  let system: Piece[] | undefined;
  if (random.chance(60)) {
    const parts = Array.from({ length: random.int(3) }, () =>
      random.object([
        ["type", '"text"'],
        ["text", random.string()],
      ]),
    );
    content = random.pick<Content | undefined>([
      undefined,
      { kind: "other", json: "null" },
      { kind: "string", json: random.string(random.chance(30) ? random.pick(PROMPTS) : random.text()) },
      { kind: "array", inner: random.array(parts).slice(1, -1), empty: parts.length === 0 },
    ]);
    const more = random.chance(40) ? [piece(random, "x", random.value(2))] : [];
    const own = content === undefined ? [] : [piece(random, "content", "")];
    system = random.shuffled([piece(random, "role", random.string("system")), ...own, ...more]);
  }
  const user = random.object(
    random.shuffled([
      ["role", random.string("user")],
      ["content", random.string("q")],
      ["x", random.value(2)],
    ] as const),
  );
  return {
    root: random.shuffled([
      piece(random, "model", random.string(random.pick(["auto", "m1"]))),
      piece(random, "messages", ""),
      ...(random.chance(60) ? [piece(random, "reasoning_effort", effort)] : []),
      ...(kwargs === undefined ? [] : [piece(random, "chat_template_kwargs", "")]),
      ...unknown,
    ]),
    kwargs,
    kwargsSpace: random.space(),
    system,
    content,
    messagesSpace: random.space(),
    rest: `${random.space()}${user}${random.space()}`,
  };
}

function objectText(pieces: readonly Piece[], whenEmpty = ""): string {
  return `{${pieces.map((one) => one.pre + one.key + one.mid + one.value + one.post).join(",") || whenEmpty}}`;
}

const contentText = (content: Content) => (content.kind === "array" ? `[${content.inner}]` : content.json);

function bodyText(body: Body): string {
  const own = body.system?.map((one) =>
    one.name === "content" && body.content ? { ...one, value: contentText(body.content) } : one,
  );
  const messages = `[${body.messagesSpace}${own ? `${objectText(own)},` : ""}${body.rest}]`;
  const kwargs = Array.isArray(body.kwargs) ? objectText(body.kwargs, body.kwargsSpace) : "null";
  const values: Record<string, string> = { messages, chat_template_kwargs: kwargs };
  return objectText(body.root.map((one) => ({ ...one, value: values[one.name] ?? one.value })));
}

function append(pieces: Piece[], name: string, value: string, whenEmpty = ""): void {
  const last = pieces.at(-1);
  pieces.push({ name, pre: "", key: JSON.stringify(name), mid: ":", value, post: last?.post ?? whenEmpty });
  if (last) last.post = "";
}

function remove(pieces: Piece[], name: string): void {
  const i = pieces.findIndex((one) => one.name === name);
  if (i < 0) return;
  if (i > 0) pieces[i - 1]!.post = pieces[i]!.post;
  else pieces[1]!.pre = pieces[0]!.pre;
  pieces.splice(i, 1);
}

function set(pieces: Piece[], name: string, value: unknown): void {
  const found = pieces.find((one) => one.name === name);
  if (!found) append(pieces, name, JSON.stringify(value));
  else if (JSON.parse(found.value) !== value) found.value = JSON.stringify(value);
}

/** Makes the changes on the pieces, as the documentation of `Changes` has it. */
function apply(body: Body, changes: Changes): void {
  if (changes.model !== undefined) set(body.root, "model", changes.model);
  const { reasoning, systemPrompt: prompt } = changes;
  if (reasoning?.kind === "reasoning_effort") set(body.root, "reasoning_effort", reasoning.effort);
  else if (reasoning) remove(body.root, "reasoning_effort");
  if (reasoning?.kind === "chat_template_kwargs") {
    if (body.kwargs === undefined) append(body.root, "chat_template_kwargs", "");
    if (!Array.isArray(body.kwargs)) [body.kwargs, body.kwargsSpace] = [[], ""];
    const known = body.kwargs.some((one) => one.name === reasoning.parameter);
    if (known) set(body.kwargs, reasoning.parameter, reasoning.enabled);
    else append(body.kwargs, reasoning.parameter, String(reasoning.enabled), body.kwargsSpace);
  }
  if (!prompt) return;
  const json = JSON.stringify(prompt.text);
  const { content } = body;
  if (!body.system) {
    body.messagesSpace = `{"role":"system","content":${json}},${body.messagesSpace}`;
  } else if (!content) {
    append(body.system, "content", json);
  } else if (prompt.mode === "insert" && content.kind === "string") {
    content.json = `${JSON.stringify(`${prompt.text}\n\n`).slice(0, -1)}${content.json.slice(1)}`;
  } else if (prompt.mode === "insert" && content.kind === "array") {
    content.inner = `{"type":"text","text":${json}}${content.empty ? "" : ","}${content.inner}`;
  } else if (content.kind !== "string" || JSON.parse(content.json) !== prompt.text) {
    body.content = { kind: "string", json };
  }
}

function generateChanges(random: Generator): Changes {
  const reasoning = random.pick<Changes["reasoning"]>([
    undefined,
    { kind: "none" },
    { kind: "reasoning_effort", effort: random.pick(EFFORTS) },
    { kind: "chat_template_kwargs", parameter: "think", enabled: random.chance(50) },
  ]);
  return {
    ...(random.chance(70) && { model: random.pick(["auto", "m1", 'm"2']) }),
    ...(random.chance(60) && {
      systemPrompt: { text: random.pick(PROMPTS), mode: random.pick(["replace", "insert"] as const) },
    }),
    ...(reasoning && { reasoning }),
  };
}

/** What no edit may touch, as values. */
function untouched(text: string): unknown {
  const body = JSON.parse(text) as Record<string, unknown>;
  const { model, messages, reasoning_effort, chat_template_kwargs, ...others } = body;
  const { think, ...kwargs } = (chat_template_kwargs ?? {}) as Record<string, unknown>;
  return { others, kwargs, last: (messages as unknown[]).at(-1) };
}

it("keeps every byte outside the edited values of 10,000 generated bodies", () => {
  let same = 0;
  for (let seed = 1; seed <= 10_000; seed++) {
    const random = new Generator(seed);
    const body = generate(random);
    const changes = generateChanges(random);
    const text = bodyText(body);
    const bytes = Buffer.from(text);
    const result = readChat(bytes, "chat");
    assert.ok(result.kind === "chat", `seed ${seed}: ${JSON.stringify(result)}`);
    const edited = editChat(result.chat, changes);
    apply(body, changes);
    const expected = bodyText(body);
    assert.equal(Buffer.from(edited).toString(), expected, `seed ${seed}`);
    assert.equal(
      edited === bytes,
      text === expected,
      `seed ${seed}: the same bytes when, and only when, nothing changes`,
    );
    assert.deepEqual(untouched(expected), untouched(text), `seed ${seed}`);
    assert.equal(readChat(edited, "chat").kind, "chat", `seed ${seed}`);
    if (edited === bytes) same++;
  }
  assert.ok(same > 100 && same < 3000, `${same} bodies stayed the same: the mix tests too little`);
});
