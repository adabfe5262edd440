import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { explain } from "../../src/cli/explain/explanation.ts";
import { printed } from "../../src/cli/explain/print.ts";
import type { Encoder } from "../../src/models/encode.ts";
import { fakeEncoder } from "../support/fake-encoder.ts";
import { explained, fakeSubject, requestOf } from "./explain-runs.ts";

// What is told of each stage, with an encoder that is a function of words.

const config = `
vllm_endpoints:
  - { name: one, address: 127.0.0.1, port: 8001, weight: 3 }
  - { name: two, address: 127.0.0.1, port: 8002 }
  - { name: idle, address: 127.0.0.1, port: 8003, weight: 0 }
model_config:
  calc: { preferred_endpoints: [one], reasoning_family: qwen3, loras: [{ name: calc-sums }] }
  chat: { preferred_endpoints: [two, one, idle], pii_policy: { allow_by_default: true } }
  nowhere: { pii_policy: { allow_by_default: true } }
reasoning_families:
  qwen3: { type: chat_template_kwargs, parameter: enable_thinking }
default_model: chat
keyword_rules:
  - { category: other, operator: AND, keywords: [never, matched] }
  - { category: code, operator: OR, keywords: [SQL, "a=b"] }
categories:
  - name: math
    system_prompt: You are exact.
    model_scores:
      - { model: calc, lora_name: calc-sums, score: 0.9, use_reasoning: true }
      - { model: chat, score: 0.4, use_reasoning: false }
  - name: code
    mmlu_categories: [computer science]
    pii_enabled: false
    jailbreak_enabled: false
    model_scores: [{ model: nowhere, score: 1, use_reasoning: false }]
  - name: other
    model_scores: [{ model: chat, score: 1, use_reasoning: false }]
classifier: { category_model: { threshold: 0.6 }, pii_model: { threshold: 0.7 } }
prompt_guard: { enabled: true }
semantic_cache: { enabled: true }
`;

describe("the category", () => {
  test("its score, the runner-up, the scores of all and how certain they are", async () => {
    const { classification } = await explained(config, "a number");
    assert.deepEqual(classification, {
      category: "math",
      by: "encoder",
      confidence: 0.96,
      threshold: 0.6,
      runner_up: "code",
      margin: 0.94,
      category_scores: { math: 0.96, code: 0.02, other: 0.02 },
      entropy: 0.178107,
      keyword_rule: null,
      error: null,
    });
  });

  test("below the threshold there is none, and the text says which was nearest", async () => {
    const found = await explained(config.replace("threshold: 0.6", "threshold: 0.97"), "a number");
    assert.equal(found.classification?.category, null);
    assert.match(
      printed(found),
      /^category {4}none: math has 0\.9600, below the threshold 0\.97; 0\.9400 ahead of code$/m,
    );
    assert.match(printed(found), /^model {7}chat: default_model$/m);
  });

  test("a label that is no category", async () => {
    const found = await explained(
      config.replace("name: other\n", "name: else\n").replace("category: other", "category: else"),
      "hello",
    );
    assert.match(printed(found), /none: other has 0\.9600 and is no category of the configuration/);
  });

  test("the keyword rule that held", async () => {
    const found = await explained(config, "a number for SQL");
    assert.deepEqual(found.classification?.keyword_rule, {
      place: 1,
      operator: "OR",
      keywords: ["SQL", "a=b"],
    });
    assert.deepEqual([found.classification?.category, found.classification?.category_scores], ["code", {}]);
    assert.match(
      printed(found),
      /code: keyword_rules\[1\] holds \(OR of "SQL", "a=b"\); the model is not asked/,
    );
  });

  test("a model that failed and was let", async () => {
    const found = await explained(
      `default_model: chat\nmodel_config: { chat: {} }
categories: [{ name: other, model_scores: [{ model: chat, score: 1, use_reasoning: false }] }]`,
      "BROKEN",
    );
    assert.deepEqual(
      [found.classification?.by, found.classification?.category, found.outcome],
      ["none", null, "forwarded"],
    );
    assert.match(printed(found), /^category {4}none: worker_died, allowed by on_error$/m);
  });
});

describe("personal data", () => {
  const finds = (score: number): Encoder => {
    const fake = fakeEncoder();
    return {
      ...fake,
      encode: async (...args) => ({
        ...(await fake.encode(...args)),
        entities: [
          [
            { type: "PERSON", start: 4, end: 7, score, by: "model" },
            { type: "PERSON", start: 0, end: 3, score: 0.4, by: "model" },
            { type: "EMAIL_ADDRESS", start: 8, end: 9, score: 1, by: "recogniser" },
          ],
        ],
      }),
    };
  };

  test("types and the highest score of each, never values; and who may not see them", async () => {
    const found = await explained(config, "a number of Ann", finds(0.65));
    assert.deepEqual(found.pii_detection, {
      detected: true,
      types: ["EMAIL_ADDRESS"],
      threshold: 0.7,
      scores: [
        { type: "EMAIL_ADDRESS", score: 1, by: "recogniser" },
        { type: "PERSON", score: 0.65, by: "model" },
      ],
      may_not_see: { calc: ["EMAIL_ADDRESS"] },
      action: "allowed",
      error: null,
    });
    assert.ok(!JSON.stringify(found).includes("Ann"));
    assert.match(printed(found), /PERSON 0\.6500 by the model, below the threshold/);
    assert.match(printed(found), /EMAIL_ADDRESS may not be seen by calc/);
  });

  test("the better candidate is passed over, and the text says why", async () => {
    const found = await explained(config, "a number, ann@example.org");
    assert.deepEqual(found.routing_decision?.candidates, [
      { model: "calc-sums", score: 0.9, chosen: false, refused: "pii_policy" },
      { model: "chat", score: 0.4, chosen: true, refused: null },
      { model: "chat", score: null, chosen: false, refused: null },
    ]);
    assert.equal(found.routing_decision?.reason, "pii_policy_alternative_selected");
    const text = printed(found);
    assert.match(text, /^model {7}chat: the best of math that may see the request$/m);
    assert.match(text, /^ {14}calc-sums 0\.9 {2}refused by its pii_policy$/m);
  });

  test("refused where nobody may see it: the answer, word for word", async () => {
    const { answer, upstream, outcome, reason, not_run } = await explained(
      config.replaceAll("allow_by_default: true", "allow_by_default: false"),
      "a number, ann@example.org",
    );
    assert.deepEqual([answer?.status, answer?.headers["x-vsr-pii-violation"], upstream], [403, "true", null]);
    assert.equal((answer?.body as { error: { code: string } }).error.code, "pii_violation");
    assert.deepEqual([outcome, reason], ["blocked", "pii_violation"]);
    assert.deepEqual(not_run, {
      cache: "the request is refused before",
      routing_decision: "the request is refused before",
      backend_selection: "the request is refused before",
    });
  });
});

describe("the guard", () => {
  test("score, threshold and verdict", async () => {
    const { jailbreak_detection, answer } = await explained(config, "ATTACK");
    assert.deepEqual(jailbreak_detection, {
      detected: true,
      score: 0.99,
      threshold: 0.7,
      hidden_in: null,
      action: "blocked",
      error: null,
    });
    assert.equal(answer?.headers["x-vsr-jailbreak-confidence"], "0.990");
  });

  test("a guard that failed is an outcome", async () => {
    const found = await explained(config, "BROKEN");
    assert.deepEqual([found.outcome, found.answer?.status], ["failed", 503]);
    assert.match(printed(found), /^jailbreak {3}the guard failed: worker_died/m);
  });

  test("a fault of the router itself is none", async () => {
    await assert.rejects(explained(config, "BUG"), TypeError);
  });
});

describe("the decision", () => {
  test("candidates, margin, reasoning", async () => {
    const { routing_decision } = await explained(config, "a number");
    assert.deepEqual(routing_decision, {
      strategy: "auto",
      reason: "very_low_uncertainty_trust_classification",
      original_model: "auto",
      selected_model: "calc-sums",
      candidates: [
        { model: "calc-sums", score: 0.9, chosen: true, refused: null },
        { model: "chat", score: 0.4, chosen: false, refused: null },
        { model: "chat", score: null, chosen: false, refused: null },
      ],
      margin: 0.5,
      reasoning: {
        enabled: true,
        effort: "medium",
        family: "qwen3",
        reason: "very_low_uncertainty_trust_classification",
      },
    });
  });

  test("endpoints with their shares; that one of them is drawn is said", async () => {
    const found = await explained(config, "hello");
    assert.deepEqual(found.backend_selection?.candidates, [
      { name: "two", weight: 1, share: 0.25 },
      { name: "one", weight: 3, share: 0.75 },
      { name: "idle", weight: 0, share: 0 },
    ]);
    assert.match(
      printed(found),
      /^endpoint {4}one of two 25 %, one 75 %, idle 0 %; this time (one|two) 127/m,
    );
  });

  test("a model without an endpoint", async () => {
    const found = await explained(config, "SQL");
    assert.deepEqual(
      [found.outcome, found.answer?.status, found.reason],
      ["failed", 503, "model_without_endpoint"],
    );
    assert.match(printed(found), /^endpoint {4}none: the model has no endpoint with a weight$/m);
  });

  test("no candidate at all", async () => {
    const found = await explained("categories: []\nprompt_guard: { enabled: true }", "hello");
    assert.deepEqual([found.answer?.status, found.routing_decision?.selected_model], [503, null]);
    assert.match(printed(found), /^model {7}none: no_candidate$/m);
  });

  test("names of models are taken whole, whatever stands in them", async () => {
    const found = await explained(
      'model_config: { "a=b: c": {} }\ndefault_model: "a=b: c"\nprompt_guard: { enabled: true }',
      "hello",
    );
    assert.deepEqual(found.routing_decision?.candidates, [
      { model: "a=b: c", score: null, chosen: true, refused: null },
    ]);
    assert.match(printed(found), /^endpoint {4}left to Envoy's routes/m);
  });

  test("nothing is cut, however many candidates and however long their names", async () => {
    const names = Array.from({ length: 40 }, (_, i) => `${"m".repeat(300)}${i}`);
    const found = await explained(
      JSON.stringify({
        vllm_endpoints: [{ name: "one", address: "a", port: 1 }],
        model_config: Object.fromEntries(names.map((name) => [name, { preferred_endpoints: ["one"] }])),
        default_model: names[0],
        categories: [
          { name: "other", model_scores: names.map((model) => ({ model, score: 1, use_reasoning: false })) },
        ],
      }),
      "hello",
    );
    assert.deepEqual(
      found.routing_decision?.candidates.map(({ model }) => model),
      [...names, names[0]],
    );
  });
});

describe("what is changed of the request", () => {
  test("the fields of the body, and the category's system prompt", async () => {
    const { upstream } = await explained(config, {
      model: "auto",
      temperature: 1.0,
      reasoning_effort: "high",
      messages: [{ role: "user", content: "a number" }],
    });
    assert.deepEqual(upstream?.body, {
      fields: {
        model: { old: "auto", new: "calc-sums" },
        reasoning_effort: { old: "high", new: null },
        chat_template_kwargs: { old: null, new: { enable_thinking: true } },
      },
      system_prompt: { category: "math", mode: "replace", text: "You are exact." },
    });
  });

  test("headers that go upstream, that are taken away, and that the client gets", async () => {
    const subject = fakeSubject(`${config}\nobservability: { tracing: { enabled: true } }`);
    const { upstream } = await explain(subject, requestOf("a number", [["x-vsr-anything", "1"]]));
    const { "content-length": length, ...headers } = upstream!.headers;
    assert.ok(Number(length) > 50);
    assert.deepEqual(headers, { "x-vsr-destination-endpoint": "one", "x-selected-model": "calc-sums" });
    assert.deepEqual([upstream!.removed_headers, upstream!.traceparent], [["x-vsr-anything"], true]);
    assert.deepEqual(upstream!.response_headers, {
      "x-vsr-selected-category": "math",
      "x-vsr-selected-reasoning": "on",
      "x-vsr-selected-model": "calc-sums",
      "x-vsr-injected-system-prompt": "true",
    });
    const untraced = await explained(config, "a number");
    assert.equal(untraced.upstream?.traceparent, false);
  });

  test("where the client names the model, nothing", async () => {
    const found = await explained(config, {
      model: "calc",
      messages: [{ role: "user", content: "a number" }],
    });
    assert.deepEqual(found.upstream?.body, { fields: {}, system_prompt: null });
    assert.match(printed(found), /^model {7}calc: the client named it$/m);
    assert.match(printed(found), /^body {8}as the client sent it$/m);
  });
});

describe("what did not run, and why", () => {
  const rows: readonly (readonly [yaml: string, asked: string | object, whys: Record<string, string>])[] = [
    [
      config,
      { model: "chat", messages: [{ role: "user", content: "x" }] },
      {
        classification: "the client named the model",
        cache: "the cache of a running router is not looked at",
      },
    ],
    [
      "model_config: { a: {} }\ndefault_model: a",
      "x",
      {
        classification: "there are no categories",
        pii_detection: "there is no classifier.pii_model",
        jailbreak_detection: "prompt_guard.enabled is false",
        cache: "semantic_cache.enabled is false",
      },
    ],
    [
      "model_config: { a: {} }\ndefault_model: a\nclassifier: { pii_model: { enabled: false } }\nprompt_guard: { enabled: true }",
      "x",
      {
        classification: "there are no categories",
        pii_detection: "classifier.pii_model.enabled is false",
        cache: "semantic_cache.enabled is false",
      },
    ],
    [
      config.replace("model: nowhere,", "model: chat,"),
      "SQL",
      {
        pii_detection: "pii_enabled is false for code",
        jailbreak_detection: "jailbreak_enabled is false for code",
        cache: "the cache of a running router is not looked at",
      },
    ],
  ];
  for (const [yaml, asked, whys] of rows)
    test(Object.values(whys).join("; "), async () => {
      const found = await explained(yaml, asked);
      assert.deepEqual(found.not_run, whys);
      for (const why of Object.values(whys)) assert.ok(printed(found).includes(why), printed(found));
    });

  test("what is refused before all stages", async () => {
    for (const [asked, status, reason] of [
      [{ model: "gpt-9", messages: [{ role: "user", content: "x" }] }, 404, "model_not_found"],
      [{ model: "auto" }, 400, "missing_field"],
    ] as const) {
      const found = await explained(config, asked);
      assert.deepEqual([found.answer?.status, found.reason], [status, reason]);
      assert.match(printed(found), /^stages {6}none ran: the request is refused before$/m);
    }
  });

  test("what is passed through", async () => {
    const found = await explained("observability: { tracing: { enabled: false } }", "x");
    assert.equal(found.outcome, "passthrough");
    assert.match(printed(found), /^stages {6}none ran: the configuration names no models and no guards$/m);
    assert.match(printed(found), /^upstream {4}the client's headers as they are$/m);
  });
});

describe("the text", () => {
  test("stays within 100 columns and obeys no control characters of a request", async () => {
    const long = `keyword ${"long ".repeat(60)}`.trim();
    const yaml = config
      .replace('"a=b"', JSON.stringify(long))
      .replace("You are exact.", "Be exact. ".repeat(30).trim());
    for (const asked of ["a number", "SQL", "ATTACK", "ann@example.org a number"]) {
      const text = printed(await explained(yaml, asked));
      assert.deepEqual(
        text.split("\n").filter((line) => line.length > 100),
        [],
      );
    }
    const escapes = await explained("prompt_guard: { enabled: true }", {
      model: "\u001b[31m\u202ered",
      messages: [{ role: "user", content: "x" }],
    });
    assert.equal(escapes.routing_decision?.selected_model, "\u001b[31m\u202ered");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be printed
    assert.doesNotMatch(printed(escapes), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  });
});
