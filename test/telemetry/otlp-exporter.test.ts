import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startOtlpReceiver } from "../../scripts/demo/otlp-receiver.ts";
import { parseConfig } from "../../src/config/load.ts";
import { otlpExporter, otlpTarget } from "../../src/telemetry/otlp-exporter.ts";
import { startTracing } from "../../src/telemetry/tracing.ts";
import { freePort } from "../support/ports.ts";

const tracingTo = (endpoint: string, warn: (line: string) => void = () => {}) => {
  const { tracing: policy } = parseConfig(`
observability:
  tracing:
    enabled: true
    exporter: { type: otlp, endpoint: "${endpoint}", insecure: true }
    resource: { service_name: sr, service_version: "1.2", deployment_environment: test }
`).config.observability;
  return startTracing(policy, "9.9", (origin) => otlpExporter(policy.exporter, origin), warn);
};

test("a real collector receives every attribute type, parents, trace state, status, link and resource", async () => {
  await using receiver = await startOtlpReceiver();
  const tracing = tracingTo(`127.0.0.1:${receiver.port}`);
  const at = tracing.begin(
    "root",
    { traceId: "a".repeat(32), spanId: "b".repeat(16), flags: 3, state: "k=1,l=2" },
    { traceId: "c".repeat(32), spanId: "d".repeat(16), flags: 1, state: "" },
  );
  at.root
    .set("text", "naïve 语义")
    .set("yes", true)
    .set("no", false)
    .set("empty", "")
    .set("list", ["x", "y"]);
  at.root
    .set("none", [])
    .set("whole", 7)
    .set("real", 0.5)
    .set("large", 2 ** 60)
    .set("negative", -3);
  const upstream = at.open("upstream", "client").fail("HTTP 503");
  upstream.end();
  at.open("stage").end();
  at.root.end();
  tracing.finish(at);
  await tracing.shutdown(5000);

  const [root, client, stage] = await receiver.waitFor("a".repeat(32));
  assert.ok(root && client && stage);
  assert.deepEqual(root.attributes, {
    text: "naïve 语义",
    yes: true,
    no: false,
    empty: "",
    list: ["x", "y"],
    none: [],
    whole: 7,
    real: 0.5,
    // Read as BigInt: on the wire it was an integer, not a double.
    large: 2n ** 60n,
    negative: -3,
  });
  assert.deepEqual(
    [root, client, stage].map(({ name, kind, parentSpanId, status, traceState }) => ({
      name,
      kind,
      parentSpanId,
      status,
      traceState,
    })),
    [
      {
        name: "root",
        kind: "SERVER",
        parentSpanId: "b".repeat(16),
        status: { code: "UNSET", message: "" },
        traceState: "k=1,l=2",
      },
      {
        name: "upstream",
        kind: "CLIENT",
        parentSpanId: root.spanId,
        status: { code: "ERROR", message: "HTTP 503" },
        traceState: "k=1,l=2",
      },
      {
        name: "stage",
        kind: "INTERNAL",
        parentSpanId: root.spanId,
        status: { code: "UNSET", message: "" },
        traceState: "k=1,l=2",
      },
    ],
  );
  assert.deepEqual(
    root.links.map(({ traceId, spanId }) => [traceId, spanId]),
    [["c".repeat(32), "d".repeat(16)]],
  );
  assert.ok(client.startNs >= root.startNs && client.endNs <= root.endNs && client.endNs >= client.startNs);
  assert.deepEqual(root.resource, {
    "service.name": "sr",
    "service.version": "1.2",
    "deployment.environment.name": "test",
    "deployment.environment": "test",
  });
  assert.deepEqual(root.scope, { name: "semantic-router", version: "9.9" });
  assert.deepEqual(tracing.health, { exported: 3, failed: 0, dropped: 0, queued: 0 });
});

test("a collector that is not there costs spans, counted and told, and nothing else", async () => {
  const warnings: string[] = [];
  const tracing = tracingTo(`127.0.0.1:${await freePort()}`, (line) => warnings.push(line));
  const at = tracing.begin("root", undefined, undefined);
  at.root.end();
  tracing.finish(at);
  await tracing.shutdown(20_000);
  assert.deepEqual(tracing.health, { exported: 0, failed: 1, dropped: 0, queued: 0 });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /^Failed to export spans: .*(UNAVAILABLE|ECONNREFUSED)/s);
});

describe("forms of an endpoint", () => {
  const rows: readonly [string, boolean, string, boolean][] = [
    ["collector:4317", false, "collector:4317", true],
    ["collector:4317", true, "collector:4317", false],
    ["http://collector:4317", false, "collector:4317", false],
    ["http://collector:4317", true, "collector:4317", false],
    ["https://collector:4317", false, "collector:4317", true],
    ["grpc://collector:4317", false, "collector:4317", true],
    ["grpc://collector:4317", true, "collector:4317", false],
    ["http://collector:4317/", false, "collector:4317", false],
    ["[::1]:4317", true, "[::1]:4317", false],
    ["collector", true, "collector", false],
  ];
  for (const [endpoint, insecure, address, secure] of rows) {
    test(`${endpoint}${insecure ? ", insecure" : ""}: ${secure ? "TLS" : "plain text"}`, () => {
      assert.deepEqual(otlpTarget({ endpoint, insecure }), { address, secure });
    });
  }

  const refused: readonly [string, boolean, RegExp][] = [
    ["https://collector:4317", true, /insecure: true contradicts an https:\/\/ endpoint/],
    [
      "http://collector:4318/v1/traces",
      false,
      /"http:\/\/collector:4318\/v1\/traces" is not of the form host:port/,
    ],
    ["ftp://collector", false, /is not of the form/],
    ["http://", false, /is not of the form/],
    ["/socket", false, /is not of the form/],
  ];
  for (const [endpoint, insecure, message] of refused) {
    test(`${endpoint}${insecure ? ", insecure" : ""} is refused by its key`, () => {
      assert.throws(() => otlpTarget({ endpoint, insecure }), message);
      assert.throws(() => otlpTarget({ endpoint, insecure }), /observability\.tracing\.exporter/);
    });
  }
});
