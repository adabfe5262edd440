import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/problem.ts";
import { otlpTarget } from "../../src/telemetry/otlp-exporter.ts";

const parse = (endpoint: string, more = "insecure: true") =>
  parseConfig(
    `observability: { tracing: { enabled: true, exporter: { endpoint: ${JSON.stringify(endpoint)}, ${more} } } }`,
  );

describe("the collector's endpoint is checked with the file, not at the first export", () => {
  for (const good of [
    "localhost:4317",
    "collector",
    "http://c:1",
    "grpc://c:4317/",
    "[::1]:4317",
    "10.0.0.1:80",
  ]) {
    test(`${good} is one`, () => {
      const { config } = parse(good);
      assert.ok(otlpTarget(config.observability.tracing.exporter).address);
    });
  }
  const bad = [
    "http://c:4317/v1/traces",
    "c:abc",
    "c:99999",
    "c:0",
    "c:",
    ":4317",
    "::1:4317",
    "x y:1",
    "c:1?x",
    "u:p@c:1",
  ];
  for (const endpoint of bad) {
    test(`${endpoint} is none`, () => {
      assert.throws(
        () => parse(endpoint),
        (error) => error instanceof ConfigError && /must be host:port/.test(error.problems[0]!.message),
      );
    });
  }
  test("https:// and insecure: true contradict each other", () => {
    assert.throws(() => parse("https://c:4317"), /exporter\.endpoint: https:\/\/ contradicts insecure: true/);
    parse("https://c:4317", "insecure: false");
  });
});
