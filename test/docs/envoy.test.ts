import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { isMap, parse, type YAMLSeq } from "yaml";
import { startModelServer } from "../../scripts/demo/model-server.ts";
import { startOtlpReceiver } from "../../scripts/demo/otlp-receiver.ts";
import { ENVOY_PATHS } from "../../src/envoy/render.ts";
import { envoyMissing, startEnvoy } from "../support/envoy.ts";
import { startProduct } from "../support/product.ts";
import { textOf } from "../support/repo.ts";
import { blocksOf } from "./markdown.ts";

const sampleOf = (start: string) => {
  const sample = blocksOf("docs/envoy.md", "yaml").find(({ text }) => text.startsWith(start))!;
  return parse(sample.text) as Record<string, unknown>;
};
const manager = ENVOY_PATHS.connectionManager.reduce<unknown>(
  (node, key) => (node as Record<string | number, unknown>)[key],
  parse(textOf("envoy/envoy.yaml")),
) as Record<string, unknown>;

test("the connection manager's settings of envoy.md are those of envoy.yaml", () => {
  const { access_log, ...settings } = sampleOf("# part of envoy.yaml: the connection manager");
  assert.equal(Object.keys(settings).length, 3);
  for (const [key, value] of Object.entries(settings)) assert.deepEqual(manager[key], value, key);
  const [ours] = manager.access_log as object[];
  assert.deepEqual(access_log, [ours]);
});

test("the request ids of an Envoy that traces are those of envoy.yaml, and its tracer leaves the header", () => {
  const { tracing, request_id_extension } = sampleOf("# part of an Envoy that traces");
  assert.deepEqual(request_id_extension, manager.request_id_extension);
  assert.equal((tracing as Record<string, unknown>).no_context_propagation, true);
});

test("envoy.md's tracer joins the trace of a request whose id is no UUID", {
  skip: envoyMissing,
}, async () => {
  await using models = await startModelServer({ name: "one" });
  await using receiver = await startOtlpReceiver();
  const endpoint = { name: "one", address: "127.0.0.1", port: models.port };
  const exporter = { endpoint: `127.0.0.1:${receiver.port}`, insecure: true };
  await using product = await startProduct(
    JSON.stringify({
      vllm_endpoints: [endpoint],
      model_config: { one: { preferred_endpoints: [endpoint.name] } },
      default_model: "one",
      observability: { tracing: { enabled: true, exporter } },
    }),
  );
  await using envoy = await startEnvoy({
    endpoints: [endpoint],
    processor: { address: "127.0.0.1", port: product.port },
    runtime: { "tracing.opentelemetry.min_flush_spans": 1 },
    edits: (doc) => {
      for (const [key, value] of Object.entries(sampleOf("# part of an Envoy that traces")))
        doc.setIn([...ENVOY_PATHS.connectionManager, key], doc.createNode(value));
      const clusters = doc.getIn(ENVOY_PATHS.clusters, true) as YAMLSeq;
      const processor = clusters.items.find((item) => isMap(item) && item.get("name") === "processor");
      const { health_checks: _, ...unchecked } = JSON.parse(JSON.stringify(processor)) as Record<
        string,
        unknown
      >;
      const socket_address = { address: "127.0.0.1", port_value: receiver.port };
      const endpoints = [{ lb_endpoints: [{ endpoint: { address: { socket_address } } }] }];
      const load_assignment = { cluster_name: "collector", endpoints };
      clusters.items.push(doc.createNode({ ...unchecked, name: "collector", load_assignment }));
    },
  });
  const trace = randomBytes(16).toString("hex");
  const answer = await fetch(`http://127.0.0.1:${envoy.port}/v1/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-request-id": "order-4712",
      traceparent: `00-${trace}-00f067aa0ba902b7-01`,
    },
    body: '{"model":"one","messages":[{"role":"user","content":"hello"}]}',
  });
  assert.equal(answer.status, 200);
  await answer.text();
  assert.equal(answer.headers.get("x-request-id"), "order-4712");
  const isIngress = (span: { parentSpanId: string }) => span.parentSpanId === "00f067aa0ba902b7";
  const spans = await receiver.waitFor(
    trace,
    (all) => all.some(isIngress) && all.some(({ name }) => name === "semantic_router.upstream.request"),
  );
  assert.equal(spans.find(isIngress)!.resource["service.name"], "envoy");
  const upstream = spans.find(({ name }) => name === "semantic_router.upstream.request")!;
  assert.ok(models.requests[0]!.headers.traceparent?.includes(upstream.spanId));
});
