import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as openinference from "@arizeai/openinference-semantic-conventions";
import * as opentelemetry from "@opentelemetry/semantic-conventions/incubating";
import * as traceloop from "@traceloop/ai-semantic-conventions";
import { conventions } from "../../src/telemetry/conventions.ts";
import type { AttributeValue, Span, Trace } from "../../src/telemetry/trace.ts";
import { codeIn, rowsOf, section, sorted } from "../docs/markdown.ts";
import { attributesOf, newTrace } from "../support/pipeline.ts";
import { textOf } from "../support/repo.ts";

const stages = [
  "classification",
  "security.pii_detection",
  "security.jailbreak_detection",
  "cache.lookup",
  "routing.decision",
  "backend.selection",
  "system_prompt.injection",
];
const said: Record<string, AttributeValue> = {
  "gen_ai.operation.name": "chat",
  "gen_ai.provider.name": "vllm",
  "gen_ai.request.model": "m",
  "gen_ai.request.temperature": 0.5,
  "gen_ai.request.max_tokens": 64,
  "gen_ai.request.top_k": 4,
  "gen_ai.request.frequency_penalty": 0.1,
  "gen_ai.request.presence_penalty": 0.2,
  "gen_ai.request.choice.count": 2,
  "gen_ai.response.model": "m-0613",
  "gen_ai.response.finish_reasons": ["stop", "length"],
  "gen_ai.usage.input_tokens": 9,
  "gen_ai.usage.output_tokens": 2,
};
const text = (content: string) => [{ type: "text", content }];
const content = {
  "gen_ai.input.messages": JSON.stringify([
    { role: "system", parts: text("s") },
    { role: "user", parts: [...text("a"), ...text("b")] },
    { role: "assistant", parts: text("c") },
  ]),
  "gen_ai.output.messages": JSON.stringify([
    { role: "assistant", parts: [{ type: "reasoning", content: "r" }, ...text("d")], finish_reason: "stop" },
  ]),
};

const provider = (name: "openinference" | "openllmetry") => conventions(name) ?? assert.fail(name);

/** A whole trace, dressed: what was added to each span, by its short name. */
function dressed(dress: (trace: Trace) => void, upstream: Record<string, AttributeValue> = said) {
  const at = newTrace();
  const root = Object.assign(at.root, { name: "semantic_router.request.received" }).set("user.id", "u");
  for (const name of stages) at.open(`semantic_router.${name}`).set("category.name", "x");
  const call = at.open("semantic_router.upstream.request", "client");
  for (const [key, value] of Object.entries(upstream)) call.set(key, value);
  const spans = [root, ...at.children];
  const before = spans.map(({ attributes }) => attributes.length);
  dress(at);
  const added = (span: Span, i: number) =>
    attributesOf({ ...span, attributes: span.attributes.slice(before[i]) } as Span);
  return Object.fromEntries(spans.map((span, i) => [span.name.slice(16), added(span, i)]));
}

/** Every text that a package exports, however deep. */
function wordsOf(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value === "string") found.add(value);
  else if (typeof value === "object" && value !== null)
    for (const inner of Object.values(value)) wordsOf(inner, found);
  return found;
}

const otel = wordsOf(opentelemetry);
const lists = {
  openinference: wordsOf(openinference),
  openllmetry: new Set([...wordsOf(traceloop.SpanAttributes), ...otel]),
};

/** Whether a list has `name`: as it is, or cut at its index, before and behind; a map's key is its writer's own. */
function listed(list: Set<string>, name: string): boolean {
  if (list.has(name)) return true;
  const [, stem, rest] = /^(.+)\.\d+\.(.+)$/.exec(name) ?? [];
  if (stem !== undefined)
    return list.has(stem) && (list.has(rest!) || /^(?:role|content|finish_reason)$/.test(rest!));
  return name.startsWith("traceloop.association.properties.") && list.has("traceloop.association.properties");
}

test("opentelemetry adds nothing", () => assert.equal(conventions("opentelemetry"), undefined));

describe("openinference", () => {
  const dress = provider("openinference");
  test("what it adds", () => {
    const { "upstream.request": upstream, ...others } = dressed(dress);
    assert.deepEqual(
      Object.entries(others).map(([name, added]) => [name, Object.entries(added).flat()]),
      [
        ["request.received", ["openinference.span.kind", "CHAIN"]],
        ["classification", ["openinference.span.kind", "CHAIN"]],
        ["security.pii_detection", ["openinference.span.kind", "GUARDRAIL"]],
        ["security.jailbreak_detection", ["openinference.span.kind", "GUARDRAIL"]],
        ["cache.lookup", ["openinference.span.kind", "RETRIEVER"]],
        ["routing.decision", ["openinference.span.kind", "CHAIN"]],
        ["backend.selection", ["openinference.span.kind", "CHAIN"]],
        ["system_prompt.injection", ["openinference.span.kind", "PROMPT"]],
      ],
    );
    assert.deepEqual(upstream, {
      "openinference.span.kind": "LLM",
      "llm.system": "vllm",
      "llm.provider": "vllm",
      "llm.model_name": "m",
      "llm.request.model_name": "m",
      "llm.response.model_name": "m-0613",
      "llm.invocation_parameters":
        '{"max_tokens":64,"temperature":0.5,"top_k":4,"frequency_penalty":0.1,"presence_penalty":0.2,"n":2}',
      "llm.token_count.prompt": 9,
      "llm.token_count.completion": 2,
      "llm.token_count.total": 11,
      "llm.finish_reason": "stop",
    });
  });

  test("embeddings, and what is no call of a model", () => {
    const embedding = { "gen_ai.operation.name": "embeddings", "gen_ai.request.model": "e" };
    assert.deepEqual(dressed(dress, embedding)["upstream.request"], {
      "openinference.span.kind": "EMBEDDING",
      "llm.model_name": "e",
      "llm.request.model_name": "e",
      "embedding.model_name": "e",
    });
    assert.deepEqual(dressed(dress, {})["upstream.request"], { "openinference.span.kind": "CHAIN" });
  });

  test("a total is not made of one part", () => {
    const { "upstream.request": upstream } = dressed(dress, { "gen_ai.usage.output_tokens": 3 });
    assert.equal(upstream!["llm.token_count.total"], undefined);
    assert.equal(upstream!["llm.token_count.completion"], 3);
  });

  test("content, where the span holds it", () => {
    assert.deepEqual(dressed(dress, content)["upstream.request"], {
      "openinference.span.kind": "CHAIN",
      "input.value": "a\nb",
      "input.mime_type": "text/plain",
      "output.value": "d",
      "output.mime_type": "text/plain",
      "llm.input_messages.0.message.role": "system",
      "llm.input_messages.0.message.content": "s",
      "llm.input_messages.1.message.role": "user",
      "llm.input_messages.1.message.content": "a\nb",
      "llm.input_messages.2.message.role": "assistant",
      "llm.input_messages.2.message.content": "c",
      "llm.output_messages.0.message.role": "assistant",
      "llm.output_messages.0.message.content": "d",
    });
  });
});

describe("openllmetry", () => {
  const dress = provider("openllmetry");
  test("what it adds", () => {
    const { "request.received": root, "upstream.request": upstream, ...others } = dressed(dress);
    assert.deepEqual(root, {
      "traceloop.span.kind": "workflow",
      "traceloop.workflow.name": "semantic_router",
      "traceloop.entity.name": "semantic_router",
      "traceloop.association.properties.user_id": "u",
    });
    assert.deepEqual(Object.keys(others), stages);
    for (const [name, added] of Object.entries(others))
      assert.deepEqual(added, {
        "traceloop.span.kind": "task",
        "traceloop.workflow.name": "semantic_router",
        "traceloop.entity.name": name,
      });
    assert.deepEqual(upstream, {
      "traceloop.workflow.name": "semantic_router",
      "llm.request.type": "chat",
      "gen_ai.system": "vllm",
      "gen_ai.usage.prompt_tokens": 9,
      "gen_ai.usage.completion_tokens": 2,
      "gen_ai.usage.total_tokens": 11,
      "llm.usage.total_tokens": 11,
      "llm.top_k": 4,
      "llm.frequency_penalty": 0.1,
      "llm.presence_penalty": 0.2,
    });
  });

  test("content, where the span holds it", () => {
    assert.deepEqual(dressed(dress, content)["upstream.request"], {
      "traceloop.workflow.name": "semantic_router",
      "gen_ai.prompt.0.role": "system",
      "gen_ai.prompt.0.content": "s",
      "gen_ai.prompt.1.role": "user",
      "gen_ai.prompt.1.content": "a\nb",
      "gen_ai.prompt.2.role": "assistant",
      "gen_ai.prompt.2.content": "c",
      "gen_ai.completion.0.role": "assistant",
      "gen_ai.completion.0.content": "d",
      "gen_ai.completion.0.finish_reason": "stop",
    });
  });
});

describe("the conventions' own lists", () => {
  for (const name of ["openinference", "openllmetry"] as const) {
    const everything = () => [
      dressed(provider(name), { ...said, ...content }),
      dressed(provider(name), { ...said, "gen_ai.operation.name": "embeddings" }),
    ];
    const names = () => everything().flatMap((spans) => Object.values(spans).flatMap(Object.keys));

    test(`${name}: every name is on its list`, () => {
      assert.deepEqual(
        sorted(names()).filter((one) => !listed(lists[name], one)),
        [],
      );
    });

    test(`${name}: docs/attribute-conventions.md has the same names`, () => {
      const rows = rowsOf(section("docs/attribute-conventions.md", `## ${name}`));
      assert.deepEqual(
        sorted(rows.map(([, attribute]) => codeIn(attribute!)[0]!)),
        sorted(names().map((one) => one.replace(/\.\d+\./, ".N."))),
      );
    });
  }

  test("the lists can say no", () => {
    assert.equal(listed(lists.openinference, "llm.model"), false);
    assert.equal(listed(lists.openinference, "llm.messages.0.message.role"), false);
    assert.equal(listed(lists.openllmetry, "llm.is_streaming"), false);
  });

  test("every kind and request type is one of theirs", () => {
    const valuesOf = (name: "openinference" | "openllmetry", key: string) =>
      ["chat", "text_completion", "embeddings", ""].flatMap((operation) =>
        Object.values(dressed(provider(name), { "gen_ai.operation.name": operation }))
          .map((added) => added[key])
          .filter((value) => value !== undefined),
      );
    const kinds = wordsOf(openinference.OpenInferenceSpanKind);
    assert.ok(valuesOf("openinference", "openinference.span.kind").every((kind) => kinds.has(String(kind))));
    const theirs = wordsOf(traceloop.TraceloopSpanKindValues);
    assert.ok(valuesOf("openllmetry", "traceloop.span.kind").every((kind) => theirs.has(String(kind))));
    const types = wordsOf(traceloop.LLMRequestTypeValues);
    assert.deepEqual(valuesOf("openllmetry", "llm.request.type"), ["chat", "completion"]);
    assert.ok(["chat", "completion"].every((type) => types.has(type)));
  });

  test("every gen_ai name that the router sets itself is OpenTelemetry's", () => {
    const source = ["src/pipeline/upstream-request.ts", "src/telemetry/content.ts"].map(textOf).join();
    const names = [...source.matchAll(/"(gen_ai\.[a-z_.]+)"/g)].map(([, name]) => name!);
    assert.ok(names.length > 20);
    // Ours: the conventions have no word for a count that is not the server's.
    assert.deepEqual(
      sorted(names).filter((name) => !otel.has(name)),
      ["gen_ai.usage.estimated"],
    );
  });
});
