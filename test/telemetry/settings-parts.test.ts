import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Env, otlp, resolve } from "./resolve.ts";

describe("parts that are put together", () => {
  test("samplers", () => {
    const of = (OTEL_TRACES_SAMPLER: string, arg = "", file = "") =>
      resolve(file, { OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG: arg }).settings.sampling;
    assert.deepEqual(of("always_on"), { type: "always_on", rate: 1, parent_based: false });
    assert.deepEqual(of("always_off"), { type: "always_off", rate: 1, parent_based: false });
    assert.deepEqual(of("traceidratio", "0.1"), { type: "probabilistic", rate: 0.1, parent_based: false });
    assert.deepEqual(of("parentbased_always_on"), { type: "always_on", rate: 1, parent_based: true });
    assert.deepEqual(of("parentbased_always_off"), { type: "always_off", rate: 1, parent_based: true });
    assert.deepEqual(of("parentbased_traceidratio", "1e-3").rate, 0.001);
    assert.deepEqual(of("parentbased_traceidratio", "0").rate, 0);
    assert.deepEqual(of("traceidratio", "", "sampling: { rate: 0.2 }").rate, 0.2);
  });

  test("headers: each from its strongest source, none that the transport sets, no value in any message", () => {
    const { settings, warnings, told } = resolve(
      "exporter: { headers: { a: f, b: f }, header_files: { c: /f, d: /f } }",
      otlp({
        HEADERS: "B=g1,c=g%3D2, e = g3 ,secret-without-value,f=a%0Ab",
        TRACES_HEADERS: "e=t1,te=secret,bad name=secret,g=x=y",
      }),
    );
    assert.deepEqual(settings.otlp?.headers, { a: "f", b: "g1", c: "g=2", e: "t1", g: "x=y" });
    assert.deepEqual(settings.otlp?.headerFiles, { d: "/f" });
    assert.equal(told["headers.e"], "set (OTEL_EXPORTER_OTLP_TRACES_HEADERS)");
    assert.deepEqual(warnings, [
      "OTEL_EXPORTER_OTLP_HEADERS has an entry 4 that is not key=value with percent-encoding; it is left out",
      'OTEL_EXPORTER_OTLP_HEADERS has an entry "f" that has a value with a line break or another character no header can carry; it is left out',
      'OTEL_EXPORTER_OTLP_TRACES_HEADERS has an entry "te" that is set by the transport itself; it is left out',
      "OTEL_EXPORTER_OTLP_TRACES_HEADERS has an entry whose key is not a header name; it is left out",
    ]);
  });

  test("resource: percent-encoded, OTEL_SERVICE_NAME over the attribute, the environment under both its names", () => {
    const file = "resource: { service_version: '1', deployment_environment: file }";
    const of = (OTEL_RESOURCE_ATTRIBUTES: string, more: Env = {}) =>
      resolve(file, { OTEL_RESOURCE_ATTRIBUTES, ...more }).settings.resource;
    assert.deepEqual(of("service.name=a,k%2Cx=1%3D2, team = core ,service.version=2,"), {
      "service.name": "a",
      "service.version": "2",
      "deployment.environment.name": "file",
      "deployment.environment": "file",
      "k,x": "1=2",
      team: "core",
    });
    const named = of("service.name=weak,deployment.environment=env", { OTEL_SERVICE_NAME: "strong" });
    assert.deepEqual(Object.entries(named), [
      ["service.name", "strong"],
      ["service.version", "1"],
      ["deployment.environment.name", "env"],
      ["deployment.environment", "env"],
    ]);
  });

  test("TLS: the scheme decides, then insecure", () => {
    const tls = (file: string, env: Env) => {
      const { told, warnings } = resolve(file, otlp(env));
      return [told.tls, ...warnings];
    };
    const insecure = "exporter: { insecure: true }";
    assert.deepEqual(tls("", { ENDPOINT: "c:1", INSECURE: "true" }), ["off (OTEL_EXPORTER_OTLP_INSECURE)"]);
    assert.deepEqual(tls("", { ENDPOINT: "grpc://c", INSECURE: "true" }), [
      "off (OTEL_EXPORTER_OTLP_INSECURE)",
    ]);
    assert.deepEqual(tls("", { ENDPOINT: "grpc://c" }), ["on (default)"]);
    assert.deepEqual(tls(insecure, { ENDPOINT: "c:1" }), ["off (file)"]);
    assert.deepEqual(tls("", { ENDPOINT: "http://c" }), ["off (OTEL_EXPORTER_OTLP_ENDPOINT)"]);
    assert.deepEqual(tls(insecure, { ENDPOINT: "https://c" }), [
      "on (OTEL_EXPORTER_OTLP_ENDPOINT)",
      "exporter.insecure has no effect: the endpoint is https:// (OTEL_EXPORTER_OTLP_ENDPOINT), so TLS is used",
    ]);
    assert.deepEqual(tls("exporter: { endpoint: 'https://c' }", { TRACES_INSECURE: "true" }), [
      "on (file)",
      "OTEL_EXPORTER_OTLP_TRACES_INSECURE has no effect: the endpoint is https:// (file), so TLS is used",
    ]);
    assert.deepEqual(tls("exporter: { tls: { ca_file: f } }", { ENDPOINT: "http://c", CLIENT_KEY: "k" }), [
      "off (OTEL_EXPORTER_OTLP_ENDPOINT)",
      "exporter.tls, OTEL_EXPORTER_OTLP_CLIENT_KEY: no effect, the collector is spoken to without TLS (OTEL_EXPORTER_OTLP_ENDPOINT)",
    ]);
  });

  test("certificates: none without TLS, none without its key", () => {
    const of = (env: Env) => resolve("", otlp(env)).settings.otlp?.tls;
    assert.deepEqual(of({ CERTIFICATE: "ca", ENDPOINT: "http://c" }), {});
    assert.deepEqual(of({ CERTIFICATE: "ca", CLIENT_KEY: "k", CLIENT_CERTIFICATE: "c" }), {
      caFile: "ca",
      certFile: "c",
      keyFile: "k",
    });
    for (const name of ["CLIENT_KEY", "CLIENT_CERTIFICATE"]) {
      const { settings, warnings } = resolve("", otlp({ [name]: "x" }));
      assert.deepEqual(settings.otlp?.tls, {});
      assert.deepEqual(warnings, [
        `OTEL_EXPORTER_OTLP_${name} is ignored: a client certificate and its key need each other`,
      ]);
    }
  });

  test("protocol: asked for, else the endpoint's, wherever each is from", () => {
    const of = (file: string, env: Env) => {
      const { told, warnings } = resolve(file, otlp(env));
      return [told.protocol, told.endpoint?.split(" ")[0], ...warnings];
    };
    assert.deepEqual(of("", { ENDPOINT: "http://c:4318" }), [
      "http/protobuf (OTEL_EXPORTER_OTLP_ENDPOINT)",
      "http://c:4318/v1/traces",
    ]);
    assert.deepEqual(of("", { PROTOCOL: "http/protobuf", INSECURE: "true" }), [
      "http/protobuf (OTEL_EXPORTER_OTLP_PROTOCOL)",
      "http://localhost:4318/v1/traces",
    ]);
    const file = "exporter: { endpoint: 'http://c:4318/v1/traces' }";
    assert.deepEqual(of(file, { PROTOCOL: "grpc" }), [
      "grpc (OTEL_EXPORTER_OTLP_PROTOCOL)",
      "http://c:4318",
      "observability.tracing.exporter.endpoint: the path has no effect: gRPC calls go to host and port",
    ]);
    // Said with its place when the file was loaded.
    assert.deepEqual(resolve("exporter: { endpoint: 'http://c:4317/v1/traces' }").warnings, []);
    assert.deepEqual(of("exporter: { protocol: http/protobuf }", { TRACES_ENDPOINT: "grpc://c:9" }), [
      "grpc (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)",
      "https://c:9",
      "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: grpc:// means gRPC; the protocol http/protobuf has no effect",
    ]);
  });

  test("of a collector's URL, only what can hardly be a key is shown", () => {
    const rows: readonly (readonly [url: string, shown: string])[] = [
      ["https://c:4318/v1/traces", "https://c:4318/v1/traces"],
      ["https://c/otlp/team-core/1234/V2/", "https://c/otlp/team-core/1234/V2/"],
      ["https://c/abc123/v1/traces", "https://c/…/v1/traces"],
      ["https://c/in/7f/v12/ABCDEFGHIJKLMNOPQ", "https://c/in/…/…/…"],
      ["https://c/ABCDEFGHIJKLMNOP?key=x?y/z", "https://c/ABCDEFGHIJKLMNOP?..."],
      ["https://c/a%C3%A4", "https://c/…"],
      ["https://c/?x", "https://c/?..."],
      ["http://c:4317", "http://c:4317"],
    ];
    for (const [url, shown] of rows) {
      const { settings, told } = resolve("", otlp({ TRACES_ENDPOINT: url }));
      assert.equal(told.endpoint, `${shown} (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)`);
      assert.equal(settings.otlp?.url, url);
    }
  });

  test("limits that contradict each other: the outer one holds, and only what was asked for is told", () => {
    const of = (env: Env, file = "") => {
      const { settings, warnings } = resolve(file, env);
      return [settings.otlp?.timeoutMs, settings.otlp?.batch.maxSpans, ...warnings];
    };
    assert.deepEqual(of({ OTEL_BSP_EXPORT_TIMEOUT: "500", OTEL_BSP_MAX_QUEUE_SIZE: "100" }), [500, 100]);
    assert.deepEqual(of({ OTEL_BSP_EXPORT_TIMEOUT: "500" }, "exporter: { timeout_ms: 600 }"), [
      500,
      512,
      "timeout_ms (file) is 600, above OTEL_BSP_EXPORT_TIMEOUT; 500 is used",
    ]);
    assert.deepEqual(
      of({}, "exporter: { batch: { timeout_ms: 5000 }, queue: { max_spans: 100 } }"),
      [5000, 100],
    );
    assert.deepEqual(of({ OTEL_EXPORTER_OTLP_TIMEOUT: "40000" }), [40_000, 512]);
    assert.deepEqual(
      of({}, "exporter: { timeout_ms: 40000, batch: { max_spans: 40000 } }"),
      [40_000, 40_000],
    );
    assert.deepEqual(
      of({ OTEL_EXPORTER_OTLP_TIMEOUT: "40000" }, "exporter: { batch: { timeout_ms: 30000 } }"),
      [30_000, 512, "OTEL_EXPORTER_OTLP_TIMEOUT is 40000, above batch.timeout_ms (file); 30000 is used"],
    );
  });

  test("standard output has neither endpoint nor protocol, but a queue", () => {
    const { settings, told } = resolve("exporter: { type: stdout }");
    assert.equal(settings.otlp, undefined);
    assert.deepEqual(Object.keys(told).slice(0, 6), [
      "enabled",
      "exporter",
      "batch.delay_ms",
      "queue.max_spans",
      "queue.max_bytes",
      "sampler",
    ]);
  });
});
