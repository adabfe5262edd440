import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { heeded, idle } from "../../src/telemetry/settings/variables.ts";
import { type Env, otlp, resolve } from "./resolve.ts";

describe("what cannot be used is told, and the next source is asked", () => {
  const rows: readonly (readonly [
    file: string,
    env: Env,
    key: string,
    want: string,
    ...warnings: string[],
  ])[] = [
    [
      'exporter: { endpoint: "http://f:1" }',
      otlp({ TRACES_ENDPOINT: "https://u:secret@t", ENDPOINT: "http://g:2" }),
      "endpoint",
      "http://g:2/v1/traces (OTEL_EXPORTER_OTLP_ENDPOINT)",
      "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must not carry credentials before an @; headers or header_files carry them; it is ignored",
    ],
    [
      'exporter: { endpoint: "http://f:1" }',
      otlp({ ENDPOINT: "c:x" }),
      "endpoint",
      "http://f:1/v1/traces (file)",
      "OTEL_EXPORTER_OTLP_ENDPOINT must be host:port, or a URL of http://, https:// or grpc://; it is ignored",
    ],
    [
      "",
      otlp({ PROTOCOL: "http/json" }),
      "protocol",
      "grpc (default)",
      'OTEL_EXPORTER_OTLP_PROTOCOL must be one of grpc, http/protobuf, not "http/json"; it is ignored',
    ],
    [
      "",
      otlp({ TRACES_TIMEOUT: "10s", TIMEOUT: "-1" }),
      "timeout_ms",
      "10000 (default)",
      'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT must be a whole number, 1 to 600000, not "10s"; it is ignored',
      'OTEL_EXPORTER_OTLP_TIMEOUT must be a whole number, 1 to 600000, not "-1"; it is ignored',
    ],
    [
      "",
      { OTEL_BSP_SCHEDULE_DELAY: "60001" },
      "batch.delay_ms",
      "200 (default)",
      'OTEL_BSP_SCHEDULE_DELAY must be a whole number, 1 to 60000, not "60001"; it is ignored',
    ],
    [
      "exporter: { insecure: true }",
      otlp({ INSECURE: "yes" }),
      "tls",
      "on (OTEL_EXPORTER_OTLP_INSECURE)",
      'OTEL_EXPORTER_OTLP_INSECURE must be true or false, not "yes"; it is taken for false',
    ],
    [
      "",
      otlp({ COMPRESSION: "zstd" }),
      "compression",
      "none (default)",
      'OTEL_EXPORTER_OTLP_COMPRESSION must be one of none, gzip, not "zstd"; it is ignored',
    ],
    [
      "",
      { OTEL_TRACES_EXPORTER: "zipkin" },
      "exporter",
      "otlp (default)",
      'OTEL_TRACES_EXPORTER must be otlp, console or none, not "zipkin"; it is ignored',
    ],
    [
      "",
      { OTEL_TRACES_EXPORTER: "jaeger, console,otlp" },
      "exporter",
      "stdout (OTEL_TRACES_EXPORTER)",
      "OTEL_TRACES_EXPORTER names several exporters; only the first that is known, console, is used",
    ],
    [
      "sampling: { type: always_off }",
      { OTEL_TRACES_SAMPLER: "xray" },
      "sampler",
      "parentbased_always_off (file)",
      'OTEL_TRACES_SAMPLER must be one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio, not "xray"; it is ignored',
    ],
    [
      "",
      { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "1.1" },
      "sampler.rate",
      "1 (default)",
      'OTEL_TRACES_SAMPLER_ARG must be a number, 0 to 1, not "1.1"; it is ignored',
    ],
    [
      "",
      { OTEL_RESOURCE_ATTRIBUTES: "service.name=a,oops" },
      "resource.service.name",
      "vllm-semantic-router (default)",
      "OTEL_RESOURCE_ATTRIBUTES has an entry 2 that is not key=value with percent-encoding; it is ignored",
    ],
    [
      "",
      { OTEL_RESOURCE_ATTRIBUTES: "service.name=%ZZ" },
      "resource.service.name",
      "vllm-semantic-router (default)",
      "OTEL_RESOURCE_ATTRIBUTES has an entry 1 that is not key=value with percent-encoding; it is ignored",
    ],
    [
      "",
      { OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: "-1", OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "64" },
      "value_limit",
      "64 (OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT)",
      'OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT must be a whole number, 0 to 9007199254740991, not "-1"; it is ignored',
    ],
    [
      "",
      { OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: "1000", OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "64" },
      "value_limit",
      "256 (default)",
      "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT is more than 256, the most that spans here keep of a text",
    ],
    [
      "",
      { OTEL_SDK_DISABLED: "1" },
      "enabled",
      "true (file)",
      'OTEL_SDK_DISABLED must be true or false, not "1"; it is taken for false',
    ],
    [
      "",
      { OTEL_LOG_LEVEL: "debug", OTEL_SPAN_LINK_COUNT_LIMIT: "1" },
      "enabled",
      "true (file)",
      "no effect here: OTEL_SPAN_LINK_COUNT_LIMIT, OTEL_LOG_LEVEL",
    ],
    [
      "",
      { OTEL_PROPAGATORS: "b3" },
      "enabled",
      "true (file)",
      "OTEL_PROPAGATORS has no effect: W3C Trace Context is always read and written, and nothing else",
    ],
    ["", { OTEL_PROPAGATORS: "tracecontext, baggage" }, "enabled", "true (file)"],
    [
      "",
      { OTEL_TRACES_SAMPLER_ARG: "0.5" },
      "sampler",
      "parentbased_always_on (default)",
      "OTEL_TRACES_SAMPLER_ARG has no effect: only OTEL_TRACES_SAMPLER=traceidratio or parentbased_traceidratio uses it",
    ],
  ];
  for (const [file, env, key, want, ...warnings] of rows) {
    test(Object.entries(env).join(" "), () => {
      const result = resolve(file, env);
      assert.equal(result.told[key], want);
      assert.deepEqual(result.warnings, warnings);
    });
  }

  test("no text whatever makes it fail", () => {
    const texts = [
      "%",
      "=",
      ",",
      "true",
      "0",
      "1e999",
      "https://",
      "__proto__=x",
      "\u0000",
      "a=b=c,%41=%",
      "€",
    ];
    for (const text of texts) {
      const all = Object.fromEntries([...heeded, ...idle, "OTEL_PROPAGATORS"].map((name) => [name, text]));
      const { settings, warnings } = resolve("", { ...all, OTEL_TRACES_EXPORTER: "otlp" });
      assert.ok(URL.canParse(settings.otlp?.url ?? ""), text);
      assert.ok(warnings.length > 0, text);
    }
  });
});
