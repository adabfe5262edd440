import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { heeded } from "../../src/telemetry/settings/variables.ts";
import { type Env, resolve } from "./resolve.ts";

test("every default, and that it is one", () => {
  const { settings, told, warnings } = resolve("");
  assert.deepEqual(settings, {
    enabled: true,
    otlp: {
      protocol: "grpc",
      url: "https://localhost:4317",
      headers: {},
      headerFiles: {},
      tls: {},
      compression: "none",
      timeoutMs: 10_000,
      retry: { maxAttempts: 5, initialBackoffMs: 1000, maxBackoffMs: 5000 },
      batch: { maxSpans: 512, delayMs: 200, timeoutMs: 30_000 },
    },
    sampling: { type: "always_on", rate: 1, parent_based: true },
    resource: { "service.name": "vllm-semantic-router" },
    queue: { maxSpans: 32_768, maxBytes: 16_777_216 },
    delayMs: 200,
    valueLimit: 256,
  });
  assert.deepEqual(told, {
    enabled: "true (file)",
    exporter: "otlp (default)",
    protocol: "grpc (default)",
    endpoint: "https://localhost:4317 (default)",
    tls: "on (default)",
    compression: "none (default)",
    timeout_ms: "10000 (default)",
    "retry.max_attempts": "5 (default)",
    "retry.initial_backoff_ms": "1000 (default)",
    "retry.max_backoff_ms": "5000 (default)",
    "batch.max_spans": "512 (default)",
    "batch.delay_ms": "200 (default)",
    "batch.timeout_ms": "30000 (default)",
    "queue.max_spans": "32768 (default)",
    "queue.max_bytes": "16777216 (default)",
    sampler: "parentbased_always_on (default)",
    "resource.service.name": "vllm-semantic-router (default)",
    value_limit: "256 (default)",
    provider: "opentelemetry (default)",
    capture_content: "false (default)",
    env_override: "true (default)",
  });
  assert.deepEqual(warnings, []);
});

test("everything from the file", () => {
  const { settings, told, warnings } = resolve(`
    provider: openllmetry, capture_content: true,
    exporter: { protocol: http/protobuf, endpoint: "https://c/in?key=secret", compression: gzip, timeout_ms: 7,
      tls: { ca_file: ca.pem, cert_file: me.pem, key_file: me.key }, headers: { X-Key: secret },
      header_files: { Authorization: /run/token }, retry: { max_attempts: 2, initial_backoff_ms: 3, max_backoff_ms: 4 },
      batch: { max_spans: 64, delay_ms: 6, timeout_ms: 900 }, queue: { max_spans: 99, max_bytes: 70000 } },
    sampling: { type: probabilistic, rate: 0.25, parent_based: false },
    resource: { service_name: a, service_version: "1", deployment_environment: prod }`);
  assert.deepEqual(settings.otlp, {
    protocol: "http/protobuf",
    url: "https://c/in?key=secret",
    headers: { "x-key": "secret" },
    headerFiles: { authorization: "/run/token" },
    tls: { caFile: "ca.pem", certFile: "me.pem", keyFile: "me.key" },
    compression: "gzip",
    timeoutMs: 7,
    retry: { maxAttempts: 2, initialBackoffMs: 3, maxBackoffMs: 4 },
    batch: { maxSpans: 64, delayMs: 6, timeoutMs: 900 },
  });
  assert.deepEqual(settings.sampling, { type: "probabilistic", rate: 0.25, parent_based: false });
  assert.deepEqual(settings.resource, {
    "service.name": "a",
    "service.version": "1",
    "deployment.environment.name": "prod",
    "deployment.environment": "prod",
  });
  assert.deepEqual([settings.queue, settings.delayMs], [{ maxSpans: 99, maxBytes: 70_000 }, 6]);
  assert.deepEqual(
    [told.endpoint, told["headers.x-key"], told["headers.authorization"], told["tls.cert_file"]],
    ["https://c/in?... (file)", "set (file)", "in /run/token (file)", "me.pem (file)"],
  );
  assert.deepEqual([told.sampler, told["sampler.rate"]], ["traceidratio (file)", "0.25 (file)"]);
  assert.deepEqual(
    Object.entries(told).filter(([, value]) => !value.endsWith(" (file)")),
    [
      ["exporter", "otlp (default)"],
      ["value_limit", "256 (default)"],
      ["env_override", "true (default)"],
    ],
  );
  assert.doesNotMatch(JSON.stringify(told), /secret/);
  assert.deepEqual(warnings, []);
});

// One key of the effective list each: the file's word, the general variable, the one of traces, a bad one.
const ranks: readonly (readonly [
  key: string,
  file: string,
  name: string,
  general: string,
  specific: string,
  want: readonly [file: string, general: string, specific: string],
])[] = [
  [
    "endpoint",
    'exporter: { endpoint: "http://f:1" }',
    "ENDPOINT",
    "http://g:2",
    "http://t:3/x",
    ["http://f:1/v1/traces", "http://g:2/v1/traces", "http://t:3/x"],
  ],
  [
    "protocol",
    "exporter: { protocol: grpc }",
    "PROTOCOL",
    "http/protobuf",
    "GRPC",
    ["grpc", "http/protobuf", "grpc"],
  ],
  ["compression", "exporter: { compression: gzip }", "COMPRESSION", "none", "gzip", ["gzip", "none", "gzip"]],
  ["timeout_ms", "exporter: { timeout_ms: 1 }", "TIMEOUT", "2", "3", ["1", "2", "3"]],
  ["tls", "exporter: { insecure: true }", "INSECURE", "false", "True", ["off", "on", "off"]],
  ["tls.ca_file", "exporter: { tls: { ca_file: f } }", "CERTIFICATE", "g", "t", ["f", "g", "t"]],
  [
    "tls.cert_file",
    "exporter: { tls: { cert_file: f, key_file: k } }",
    "CLIENT_CERTIFICATE",
    "g",
    "t",
    ["f", "g", "t"],
  ],
  [
    "tls.key_file",
    "exporter: { tls: { cert_file: c, key_file: f } }",
    "CLIENT_KEY",
    "g",
    "t",
    ["f", "g", "t"],
  ],
  ["headers.x-a", "exporter: { headers: { X-A: f } }", "HEADERS", "x-a=g", "X-A=t", ["set", "set", "set"]],
];

describe("the variable of traces, the general one, the file", () => {
  for (const [key, file, name, general, specific, want] of ranks) {
    const [generalName, specificName] = [`OTEL_EXPORTER_OTLP_${name}`, `OTEL_EXPORTER_OTLP_TRACES_${name}`];
    test(key, () => {
      const told = (env: Env) => resolve(file, env).told[key];
      assert.equal(told({}), `${want[0]} (file)`);
      assert.equal(told({ [generalName]: "", [specificName]: " " }), `${want[0]} (file)`);
      assert.equal(told({ [generalName]: general }), `${want[1]} (${generalName})`);
      assert.equal(
        told({ [generalName]: general, [specificName]: specific }),
        `${want[2]} (${specificName})`,
      );
      assert.equal(told({ [specificName]: specific }), `${want[2]} (${specificName})`);
    });
  }

  const single: readonly (readonly [key: string, file: string, name: string, value: string, want: string])[] =
    [
      ["exporter", "exporter: { type: stdout }", "OTEL_TRACES_EXPORTER", "otlp", "otlp"],
      ["exporter", "exporter: { type: otlp }", "OTEL_TRACES_EXPORTER", "Console", "stdout"],
      ["batch.delay_ms", "exporter: { batch: { delay_ms: 9 } }", "OTEL_BSP_SCHEDULE_DELAY", "5000", "5000"],
      [
        "batch.timeout_ms",
        "exporter: { batch: { timeout_ms: 20000 } }",
        "OTEL_BSP_EXPORT_TIMEOUT",
        "40000",
        "40000",
      ],
      [
        "queue.max_spans",
        "exporter: { queue: { max_spans: 999 } }",
        "OTEL_BSP_MAX_QUEUE_SIZE",
        "2048",
        "2048",
      ],
      [
        "batch.max_spans",
        "exporter: { batch: { max_spans: 9 } }",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        "8",
        "8",
      ],
      ["resource.service.name", "resource: { service_name: f }", "OTEL_SERVICE_NAME", "e", "e"],
      [
        "resource.service.name",
        "resource: { service_name: f }",
        "OTEL_RESOURCE_ATTRIBUTES",
        "service.name=e",
        "e",
      ],
      ["sampler", "sampling: { type: always_off }", "OTEL_TRACES_SAMPLER", "always_on", "always_on"],
    ];
  for (const [key, file, name, value, want] of single) {
    test(`${key} by ${name}`, () => {
      assert.match(resolve(file).told[key] ?? "", / \(file\)$/);
      assert.match(resolve(file, { [name]: "" }).told[key] ?? "", / \(file\)$/);
      assert.equal(resolve(file, { [name]: value }).told[key], `${want} (${name})`);
    });
  }
});

describe("switches", () => {
  const env = { OTEL_SERVICE_NAME: "e", OTEL_EXPORTER_OTLP_ENDPOINT: "http://g:2" };
  const off = "observability.tracing.enabled is not true, so there are no spans, but set are:";
  const both = "OTEL_SERVICE_NAME, OTEL_EXPORTER_OTLP_ENDPOINT";
  const rows: readonly (readonly [string, string, Env, string, ...string[]])[] = [
    ["", "enabled: true,", { OTEL_SDK_DISABLED: "TRUE" }, "false (OTEL_SDK_DISABLED)"],
    ["", "enabled: true,", { OTEL_SDK_DISABLED: "false" }, "true (file)"],
    ["env_override: false", "enabled: true,", { OTEL_SDK_DISABLED: "true" }, "false (OTEL_SDK_DISABLED)"],
    ["", "enabled: true,", { OTEL_TRACES_EXPORTER: "none", ...env }, "false (OTEL_TRACES_EXPORTER)"],
    ["", "", {}, "false (default)"],
    ["", "", env, "false (default)", `${off} ${both}`],
    ["", "enabled: false,", env, "false (file)", `${off} ${both}`],
    ["", "enabled: false,", { ...env, OTEL_SDK_DISABLED: "true" }, "false (OTEL_SDK_DISABLED)"],
    ["", "enabled: false,", { ...env, OTEL_TRACES_EXPORTER: "none" }, "false (file)"],
    ["env_override: false", "enabled: false,", env, "false (file)"],
  ];
  for (const [file, enabled, variables, want, ...warnings] of rows) {
    test(`${enabled} ${file} ${Object.keys(variables).join(" ")}`, () => {
      const result = resolve(file, variables, enabled);
      assert.equal(result.told.enabled, want);
      assert.equal(result.settings.enabled, want.startsWith("true"));
      assert.deepEqual(result.warnings, warnings);
      if (!result.settings.enabled) assert.deepEqual(Object.keys(result.told), ["enabled"]);
    });
  }

  test("what a file that does not trace says of its exporter may be wrong", () => {
    assert.deepEqual(resolve("exporter: { endpoint: '::' }", {}, "").warnings, []);
  });

  test("env_override: false leaves the file alone", () => {
    const result = resolve("env_override: false", env);
    assert.deepEqual(result.settings, resolve("").settings);
    assert.deepEqual(result.warnings, [
      `no effect, since observability.tracing.env_override is false: ${both}`,
    ]);
  });

  test("every variable that is heeded has an effect or is complained about", () => {
    const values: Env = {
      OTEL_TRACES_SAMPLER: "always_off",
      OTEL_TRACES_EXPORTER: "console",
      OTEL_RESOURCE_ATTRIBUTES: "a=b",
      OTEL_EXPORTER_OTLP_HEADERS: "a=b",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "a=b",
      OTEL_EXPORTER_OTLP_INSECURE: "true",
      OTEL_EXPORTER_OTLP_TRACES_INSECURE: "true",
    };
    const plain = JSON.stringify(resolve(""));
    for (const name of heeded)
      assert.notEqual(JSON.stringify(resolve("", { [name]: values[name] ?? "99" })), plain, name);
  });
});
