// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the `${VAR}` of the file is what is tested
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import { problemsOf } from "./problems.ts";

const env = { HOST: "vllm.example", PORT: "8811", ON: "TRUE", RATE: "0.25", EMPTY: "", NUMBER: "123" };

test("numbers, flags and words come typed as the key wants them", () => {
  const text = [
    "vllm_endpoints:",
    '  - { name: \'${NUMBER}\', address: "${HOST}", port: "${PORT}" }',
    "  - name: ${NUMBER}-b",
    "    address: ${HOST}",
    "    port: ${PORT}",
    "prompt_guard: { enabled: '${ON}', threshold: '${RATE}' }",
    "default_model: ${NUMBER}",
  ].join("\n");
  const { config } = parseConfig(text, { env });
  assert.deepEqual(config.vllm_endpoints, [
    { name: "123", address: "vllm.example", port: 8811, weight: 1 },
    { name: "123-b", address: "vllm.example", port: 8811, weight: 1 },
  ]);
  assert.deepEqual(config.prompt_guard, { enabled: true, threshold: 0.25, on_error: "refuse" });
  assert.equal(config.default_model, "123");
});

const expansions: [written: string, want: string | undefined][] = [
  ["${HOST}", "vllm.example"],
  ["a-${HOST}-${PORT}", "a-vllm.example-8811"],
  ["${NOPE:-fallback}", "fallback"],
  ["${HOST:-fallback}", "vllm.example"],
  ["${EMPTY:-fallback}", "fallback"],
  ["${NOPE:-http://h:1}", "http://h:1"],
  ["x${NOPE:-}", "x"],
  ["${NOPE:-}", undefined],
  ["${EMPTY}", undefined],
  ["$${HOST}", "${HOST}"],
  ["$HOST", "$HOST"],
  ["costs $5", "costs $5"],
];
for (const [written, want] of expansions) {
  test(`${written} is ${want}`, () => {
    assert.equal(parseConfig(`default_model: '${written}'`, { env }).config.default_model, want);
  });
}

test("keys and comments are left alone", () => {
  const { config } = parseConfig("# ${NOPE}\nmodel_config: { '${NOPE}': {} }");
  assert.deepEqual(Object.keys(config.model_config), ["${NOPE}"]);
});

test("a variable used through an alias", () => {
  const text =
    "vllm_endpoints:\n  - { name: a, address: h, port: &p '${PORT}' }\n  - { name: b, address: h, port: *p }";
  assert.equal(parseConfig(text, { env }).config.vllm_endpoints[1]?.port, 8811);
});

test("problems name the variable and never show a value", () => {
  assert.deepEqual(problemsOf("semantic_cache:\n  max_entries: ${NOPE}"), [
    "c.yaml:2:16 semantic_cache.max_entries: the variable NOPE is not set and has no default; write ${NOPE:-default} to give one",
  ]);
  assert.deepEqual(problemsOf("server: { listen: '${HOST}' }\ninference: { workers: '${HOST}' }", env), [
    "c.yaml:1:19 server.listen: expected host:port, [IPv6 address]:port or unix:/path, not the value of ${HOST}",
    "c.yaml:2:23 inference.workers: must be a whole number, not the value of ${HOST}",
  ]);
  assert.deepEqual(problemsOf("default_model: '${A B}'"), [
    "c.yaml:1:16 default_model: ${...} does not hold the name of a variable; write ${NAME} or ${NAME:-default}, or $${ for a literal ${",
  ]);
});
