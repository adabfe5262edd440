// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the `${VAR}` of the file is what is tested
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { configPath, loadConfig, parseConfig } from "../../src/config/load.ts";
import { describe } from "../../src/config/problem.ts";

const folder = mkdtempSync(join(tmpdir(), "config-"));
after(() => rmSync(folder, { recursive: true }));

test("an empty file is every default", () => {
  for (const text of ["", "# nothing\n", "---\n", "{}"]) {
    const { config, warnings } = parseConfig(text);
    assert.equal(config.server.listen, "127.0.0.1:50051");
    assert.deepEqual(config.limits, { max_body_bytes: 16_777_216, max_json_depth: 128 });
    assert.deepEqual(config.inference, {
      threads: 1,
      deadline_ms: 4000,
      max_deadline_ms: 60_000,
      queue_limit: 512,
    });
    assert.deepEqual(config.classifier, { category_model: { threshold: 0.6, on_error: "allow" } });
    assert.deepEqual(config.prompt_guard, { enabled: false, threshold: 0.7, on_error: "refuse" });
    assert.deepEqual(config.semantic_cache, {
      enabled: false,
      backend_type: "memory",
      similarity_threshold: 0.94,
      max_entries: 1000,
      ttl_seconds: 3600,
      eviction_policy: "fifo",
      tenant_header: "authorization",
    });
    const { exporter, ...tracing } = config.observability.tracing;
    assert.deepEqual(tracing, {
      enabled: false,
      env_override: true,
      provider: "opentelemetry",
      sampling: { type: "always_on", rate: 1, parent_based: true },
      resource: { service_name: "vllm-semantic-router" },
      custom_attributes: [],
      user_id: { hash: true },
      access_log_wait_ms: 1000,
      capture_content: false,
      capture_content_max_chars: 4096,
    });
    assert.deepEqual(
      { ...exporter, headers: { ...exporter.headers }, header_files: { ...exporter.header_files } },
      {
        type: "otlp",
        endpoint: "localhost:4317",
        insecure: false,
        tls: {},
        headers: {},
        header_files: {},
        compression: "none",
        timeout_ms: 10_000,
        retry: { max_attempts: 5, initial_backoff_ms: 1000, max_backoff_ms: 5000 },
        batch: { max_spans: 512, delay_ms: 200, timeout_ms: 30_000 },
        queue: { max_spans: 32_768, max_bytes: 16_777_216 },
      },
    );
    assert.deepEqual(
      [config.auto_model_name, config.default_reasoning_effort, config.default_model, config.logging.level],
      ["MoM", "medium", undefined, "info"],
    );
    assert.deepEqual([config.include_config_models_in_list, config.clear_route_cache], [true, true]);
    assert.deepEqual([config.security.block_status, config.routing.endpoint_header], [403, "name"]);
    assert.deepEqual([config.vllm_endpoints, config.categories, config.keyword_rules], [[], [], []]);
    assert.deepEqual(warnings, []);
  }
});

test("a model written as a bare name has the strict policy", () => {
  const { model_config } = parseConfig("model_config:\n  org/m-1.5:\n").config;
  assert.deepEqual(model_config["org/m-1.5"], {
    preferred_endpoints: [],
    pii_policy: { allow_by_default: false, pii_types_allowed: [] },
    loras: [],
  });
});

test("a name from Object.prototype is not a model", () => {
  const { config } = parseConfig("model_config: { m: {} }");
  assert.equal(config.model_config.constructor, undefined);
  assert.equal(config.reasoning_families.toString, undefined);
});

test("a model may be called anything, even a number or __proto__", () => {
  const { config } = parseConfig("model_config: { 4: {}, 1.0: {}, __proto__: {} }");
  assert.deepEqual(Object.keys(config.model_config), ["4", "1.0", "__proto__"]);
});

test("the detector of personal data is there only when it is written", () => {
  assert.equal(parseConfig("classifier: {}").config.classifier.pii_model, undefined);
  const { pii_model } = parseConfig("classifier: { pii_model: { threshold: 0.5 } }").config.classifier;
  assert.deepEqual(pii_model, { enabled: true, threshold: 0.5, on_error: "refuse" });
});

test("similarity of the cache: its own key, else bert_model's, else 0.94", () => {
  const of = (text: string) => parseConfig(text).config.semantic_cache.similarity_threshold;
  assert.equal(of(""), 0.94);
  assert.equal(of("bert_model: { threshold: 0.6 }"), 0.6);
  assert.equal(of("bert_model: { threshold: 0.6 }\nsemantic_cache: { similarity_threshold: 0.8 }"), 0.8);
  assert.equal(of("bert_model: { threshold: 0.6 }\nsemantic_cache: { similarity_threshold: }"), 0.6);
});

test("an empty key is a key not written", () => {
  const text = 'server:\nauto_model_name: ""\ndefault_model: ""\nsemantic_cache: { eviction_policy: "" }';
  const { config } = parseConfig(text);
  assert.deepEqual([config.auto_model_name, config.default_model], ["MoM", undefined]);
  assert.equal(config.semantic_cache.eviction_policy, "fifo");
});

test("which keys the file gives a value", () => {
  const env = { NONE: "", RATE: "0.5" };
  const text =
    "logging: { level: info }\nserver:\nbert_model: { threshold: '${RATE}' }\nsemantic_cache: &c { enabled: false, max_entries: , eviction_policy: '${NONE}' }";
  const { written } = parseConfig(text, { env });
  for (const path of ["logging", "logging.level", "semantic_cache.enabled", "bert_model.threshold"])
    assert.equal(written(path), true, path);
  for (const path of [
    "server",
    "server.listen",
    "semantic_cache.max_entries",
    "semantic_cache.eviction_policy",
    "semantic_cache.toString",
    "logging.level.length",
    "nothing.at.all",
  ])
    assert.equal(written(path), false, path);
  assert.equal(parseConfig("").written("logging"), false);
});

test("anchors and merge keys", () => {
  const text = "vllm_endpoints:\n  - &a { name: a, address: h, port: 1 }\n  - { <<: *a, name: b }";
  assert.deepEqual(parseConfig(text).config.vllm_endpoints[1], {
    name: "b",
    address: "h",
    port: 1,
    weight: 1,
  });
});

test("addresses that are taken", () => {
  for (const address of [
    "10.0.0.1",
    "::1",
    "2001:db8::1",
    "localhost",
    "vllm.ns.svc.cluster.local",
    "a_b.example.",
  ]) {
    const text = `vllm_endpoints: [{ name: a, address: "${address}", port: 8000 }]`;
    assert.equal(parseConfig(text).config.vllm_endpoints[0]?.address, address);
  }
});

test("where the server may listen", () => {
  for (const listen of ["127.0.0.1:50051", "[::]:50051", "localhost:0", "unix:/run/router.sock"]) {
    assert.equal(parseConfig(`server: { listen: "${listen}" }`).config.server.listen, listen);
  }
});

test("the default model may be a LoRA", () => {
  const text = "model_config: { base: { loras: [{ name: law-expert }] } }\ndefault_model: law-expert";
  assert.equal(parseConfig(text).config.default_model, "law-expert");
});

test("a backend that is not there does no harm while the cache is off", () => {
  assert.equal(parseConfig("semantic_cache: { backend_type: milvus }").config.semantic_cache.enabled, false);
});

test("the result cannot be changed", () => {
  const { config } = parseConfig("vllm_endpoints: [{ name: a, address: h, port: 1 }]");
  assert.throws(() => Object.assign(config.vllm_endpoints[0]!, { port: 2 }), TypeError);
  assert.throws(() => Object.assign(config.model_config, { m: {} }), TypeError);
});

const warned: [text: string, ...want: string[]][] = [
  ["tools: { enabled: true }", "c.yaml:1:1 tools: not implemented: a client's tools are passed on unchanged"],
  [
    "vllm_endpoints:\n  - { name: a, address: h, port: 1, health_check_path: /health }",
    "c.yaml:2:37 vllm_endpoints[0].health_check_path: not used: Envoy checks the health of its clusters",
  ],
  [
    "semantic_cache: { use_hnsw: true, hnsw_m: 16 }",
    "c.yaml:1:19 semantic_cache.use_hnsw: not used: the memory cache indexes itself as its size asks for; also semantic_cache.hnsw_m (line 1)",
  ],
  [
    "model_config: { m: {} }",
    "c.yaml:1:1 model_config: no vllm_endpoints: Envoy has to route by the header x-selected-model",
  ],
  [
    "vllm_endpoints: [{ name: a, address: h, port: 1 }]\nmodel_config:\n  m: { preferred_endpoints: [a] }\n  n: {}",
    "c.yaml:4:3 model_config.n: no preferred_endpoints: its requests are answered with 503",
  ],
  [
    "categories:\n  - { name: a, model_scores: [{ model: m, score: 1, use_reasoning: true }] }",
    "c.yaml:1:1 default_model: not set: a request that fits no category has no model to go to",
  ],
  [
    "vllm_endpoints: [{ name: a, address: h, port: 1 }]\nmodel_config:\n  m: { preferred_endpoints: [a], pii_policy: { pii_types_allowed: [AGE] } }",
    "c.yaml:3:48 model_config.m.pii_policy.pii_types_allowed: has no effect: personal data is not looked for without classifier.pii_model",
  ],
];

for (const [text, ...want] of warned) {
  test(`warning: ${want[0]}`, () => {
    assert.deepEqual(
      parseConfig(text).warnings.map((warning) => describe(warning, "c.yaml")),
      want,
    );
  });
}

test("a file is read, and its text comes with it", () => {
  const file = join(folder, "config.yaml");
  writeFileSync(file, "logging: { level: debug }");
  const { config, source } = loadConfig(file, {});
  assert.equal(config.logging.level, "debug");
  assert.deepEqual(source, { file, text: "logging: { level: debug }" });
});

test("SR_LOG_LEVEL wins over the file", () => {
  const level = (value: string) =>
    parseConfig("logging: { level: warn }", { env: { SR_LOG_LEVEL: value } }).config.logging.level;
  assert.deepEqual([level("debug"), level("ERROR"), level("")], ["debug", "error", "warn"]);
});

test("a file that cannot be read", () => {
  const missing = join(folder, "none.yaml");
  assert.throws(() => loadConfig(missing, {}), {
    message: `cannot read ${missing}: no such file; set CONFIG_PATH or --config`,
  });
  assert.throws(() => loadConfig(folder, {}), { message: `cannot read ${folder}: it is a directory` });
});

test("which file", () => {
  const env = { CONFIG_PATH: "path.yaml", CONFIG_FILE: "file.yaml" };
  assert.equal(configPath(["--config", "a.yaml"], env), "a.yaml");
  assert.equal(configPath(["--verbose", "--config=a=b.yaml"], env), "a=b.yaml");
  assert.equal(configPath(["-config", "a.yaml"], env), "a.yaml");
  assert.equal(configPath(["--configuration", "a.yaml"], env), "path.yaml");
  assert.equal(configPath([], { CONFIG_FILE: "file.yaml" }), "file.yaml");
  assert.equal(configPath([], { CONFIG_PATH: "" }), undefined);
});
