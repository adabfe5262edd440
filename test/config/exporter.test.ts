import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import { describe as said } from "../../src/config/problem.ts";
import { problemsOf } from "./problems.ts";

// Each text stands alone on the third line, so that a place is `3:` and a column.
const file = (exporter: string) => `observability:\n  tracing: { enabled: true, exporter:\n    ${exporter} }`;
const at = (path: string) => `observability.tracing.exporter.${path}:`;

describe("the exporter is checked with the file, not at the first export", () => {
  const rows: readonly (readonly [exporter: string, ...want: string[]])[] = [
    ['{ endpoint: "http://c:4318/v1/traces" }'],
    ["{ insecure: true, endpoint: localhost }"],
    ['{ endpoint: "https://c:4317", tls: { ca_file: a, cert_file: b, key_file: c } }'],
    [
      '{ endpoint: "c:abc" }',
      `c.yaml:3:17 ${at("endpoint")} must be host:port, or a URL of http://, https:// or grpc://`,
    ],
    [
      '{ endpoint: "https://u:secret@c" }',
      `c.yaml:3:17 ${at("endpoint")} must not carry credentials before an @; headers or header_files carry them`,
    ],
    [
      '{ insecure: true, endpoint: "https://c" }',
      `c.yaml:3:33 ${at("endpoint")} https:// contradicts insecure: true; drop one of them`,
    ],
    [
      '{ endpoint: "grpc://c", protocol: http/protobuf }',
      `c.yaml:3:17 ${at("endpoint")} grpc:// contradicts protocol: http/protobuf; drop one of them`,
    ],
    [
      '{ endpoint: "http://c", tls: { ca_file: a } }',
      `c.yaml:3:45 ${at("tls.ca_file")} has no effect: the endpoint is http://, so there is no TLS`,
    ],
    [
      "{ insecure: true, tls: { cert_file: a, key_file: b } }",
      `c.yaml:3:41 ${at("tls.cert_file")} has no effect: insecure is true, so there is no TLS`,
    ],
    ["{ tls: { cert_file: a } }", `c.yaml:3:25 ${at("tls.cert_file")} needs key_file as well`],
    ["{ tls: { key_file: a } }", `c.yaml:3:24 ${at("tls.key_file")} needs cert_file as well`],
    ['{ header_files: { "a b": x } }', `c.yaml:3:23 ${at('header_files["a b"]')} "a b" is not a header name`],
    [
      "{ headers: { Grpc-Timeout: x } }",
      `c.yaml:3:18 ${at("headers.Grpc-Timeout")} "Grpc-Timeout" is set by the transport itself`,
    ],
    [
      "{ header_files: { te: x } }",
      `c.yaml:3:23 ${at("header_files.te")} "te" is set by the transport itself`,
    ],
    [
      '{ headers: { x-key: "secret\\n" } }',
      `c.yaml:3:18 ${at("headers.x-key")} "x-key" has a value with a line break or another character no header can carry`,
    ],
    [
      "{ headers: { x-a: x, X-A: y } }",
      `c.yaml:3:26 ${at("headers.X-A")} "X-A" is given twice; headers: x-a is the same header`,
    ],
    [
      "{ headers: { x-a: x }, header_files: { X-A: y } }",
      `c.yaml:3:44 ${at("header_files.X-A")} "X-A" is given twice; headers: x-a is the same header`,
    ],
    [
      "{ retry: { initial_backoff_ms: 20, max_backoff_ms: 10 } }",
      `c.yaml:3:36 ${at("retry.initial_backoff_ms")} must be at most retry.max_backoff_ms (10), not 20`,
    ],
    [
      "{ batch: { max_spans: 65 }, queue: { max_spans: 64 } }",
      `c.yaml:3:27 ${at("batch.max_spans")} must be at most queue.max_spans (64), not 65`,
    ],
    [
      "{ timeout_ms: 101, batch: { timeout_ms: 100 } }",
      `c.yaml:3:19 ${at("timeout_ms")} must be at most batch.timeout_ms (100), not 101`,
    ],
    [
      "{ timeout_ms: 10000, batch: { timeout_ms: 5000 } }",
      `c.yaml:3:19 ${at("timeout_ms")} must be at most batch.timeout_ms (5000), not 10000`,
    ],
    ["{ batch: { timeout_ms: 5000 } }"],
    ["{ timeout_ms: 40000 }"],
    ["{ retry: { max_backoff_ms: 500 } }"],
    ["{ queue: { max_spans: 100 } }"],
    [
      "{ retry: { initial_backoff_ms: 0, max_backoff_ms: 1 } }",
      `c.yaml:3:36 ${at("retry.initial_backoff_ms")} must be 1 to 60000, not 0`,
    ],
  ];
  for (const [exporter, ...want] of rows)
    test(exporter, () => assert.deepEqual(problemsOf(file(exporter)), want));

  test("a path that gRPC has no use for is a warning", () => {
    const { warnings } = parseConfig(file('{ endpoint: "http://c:4317/v1/traces" }'));
    assert.deepEqual(
      warnings.map((warning) => said(warning, "c.yaml")),
      [`c.yaml:3:17 ${at("endpoint")} the path has no effect: gRPC calls go to host and port`],
    );
  });

  test("an endpoint that is not used may be anything", () => {
    assert.deepEqual(problemsOf("observability: { tracing: { exporter: { endpoint: '::' } } }"), []);
  });
});
