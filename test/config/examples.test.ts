import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { pathText } from "../../src/config/problem.ts";
import { unusedKeys } from "../../src/config/unused.ts";

const example = (name: string) => fileURLToPath(new URL(`../../examples/config/${name}`, import.meta.url));

test("quickstart.yaml loads without a warning", () => {
  const { config, warnings } = loadConfig(example("quickstart.yaml"), {});
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    config.vllm_endpoints.map(({ name, address, port }) => `${name} ${address}:${port}`),
    ["math-endpoint 127.0.0.1:8811", "code-endpoint 127.0.0.1:8812", "general-endpoint 127.0.0.1:8813"],
  );
  const first = Object.fromEntries(
    config.categories.map(({ name, model_scores }) => [name, model_scores[0]?.model]),
  );
  assert.deepEqual(first, {
    math: "math-model",
    physics: "math-model",
    chemistry: "math-model",
    engineering: "math-model",
    "computer science": "code-model",
    biology: "general-model",
    business: "general-model",
    economics: "general-model",
    health: "general-model",
    history: "general-model",
    law: "general-model",
    philosophy: "general-model",
    psychology: "general-model",
    other: "general-model",
  });
  for (const { pii_policy } of Object.values(config.model_config)) {
    assert.equal(pii_policy.pii_types_allowed.length, 9);
    assert.ok(!pii_policy.pii_types_allowed.includes("EMAIL_ADDRESS"));
  }
  assert.equal(config.observability.tracing.exporter.endpoint, "localhost:4317");
});

test("tracing-only.yaml is a pass-through that traces", () => {
  const { config, warnings } = loadConfig(example("tracing-only.yaml"), { OTLP_ENDPOINT: "tempo:4317" });
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    [config.categories.length, config.default_model, config.semantic_cache.enabled],
    [0, undefined, false],
  );
  assert.deepEqual(config.observability.tracing.sampling, {
    type: "probabilistic",
    rate: 0.1,
    parent_based: true,
  });
  assert.equal(config.observability.tracing.exporter.endpoint, "tempo:4317");
});

test("a file of v0.1 loads, and each key without effect is named with its line", () => {
  const file = example("vllm-semantic-router-v0.1.yaml");
  const { config, warnings } = loadConfig(file, {});
  assert.equal(config.categories.length, 14);
  assert.equal(config.semantic_cache.similarity_threshold, 0.8);
  assert.equal(config.default_reasoning_effort, "high");
  assert.equal(config.observability.tracing.exporter.endpoint, "jaeger:4317");
  assert.equal(config.classifier.pii_model?.enabled, true);

  const text = readFileSync(file, "utf8");
  const said = warnings.map(({ line, path, message }) => `${path} (line ${line}); ${message}`).join("\n");
  const dead = deadKeys(parse(text), []);
  assert.equal(dead.length, 16);
  for (const path of dead) {
    const line = Number(
      new RegExp(`(?:^|\\s)${path.replaceAll(".", "\\.")} \\(line (\\d+)\\)`).exec(said)?.[1],
    );
    assert.match(text.split("\n")[line - 1] ?? "", new RegExp(`^ *${path.split(".").at(-1)}:`), path);
  }
});

function deadKeys(value: unknown, path: string[]): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = [...path, key];
    return here.join(".") in unusedKeys ? [pathText(here)] : deadKeys(inner, here);
  });
}
