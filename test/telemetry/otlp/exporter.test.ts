import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startOtlpReceiver } from "../../../scripts/demo/otlp-receiver.ts";
import { otlpExporter } from "../../../src/telemetry/otlp/exporter.ts";
import { Trace } from "../../../src/telemetry/trace.ts";
import type { Exported } from "../../../src/telemetry/trace-exporter.ts";
import { bothProtocols, exportSpans, origin, protocols, settingsFor, traceOf } from "./collectors.ts";

for (const protocol of bothProtocols) {
  describe(protocol, () => {
    test("a real collector receives every attribute type, parents, trace state, status, link and resource", async () => {
      await using receiver = await startOtlpReceiver();
      const port = protocol === "grpc" ? receiver.port : receiver.httpPort;
      const resource = {
        "service.name": "sr",
        "service.version": "1.2",
        "deployment.environment.name": "test",
      };
      const exporter = otlpExporter(settingsFor(protocols[protocol].url(port)), { ...origin, resource });
      const trace = new Trace("root", {
        traceId: "a".repeat(32),
        parentSpanId: "b".repeat(16),
        flags: 3,
        state: "k=1,l=2",
        link: { traceId: "c".repeat(32), spanId: "d".repeat(16), flags: 1, state: "" },
        propagates: true,
      });
      const values = {
        text: "naïve 语义",
        yes: true,
        no: false,
        empty: "",
        list: ["x", "y"],
        none: [],
        whole: 7,
        real: 0.5,
        large: 2 ** 60,
        negative: -3,
      };
      for (const [key, value] of Object.entries(values)) trace.root.set(key, value);
      trace.open("upstream", "client").fail("HTTP 503").end();
      trace.open("stage").end();
      trace.root.end();
      const result = new Promise<Exported>((resolve) => exporter.export([trace], resolve));
      assert.deepEqual(await result, { exported: 3, failed: 0 });
      await exporter.shutdown(5000);

      const spans = await receiver.waitFor("a".repeat(32));
      const [root, client, stage] = spans;
      assert.ok(root && client && stage);
      // Read as BigInt: on the wire it was an integer, not a double.
      assert.deepEqual(root.attributes, { ...values, large: 2n ** 60n });
      assert.deepEqual(
        spans.map(({ name, kind, parentSpanId, status }) => [
          name,
          kind,
          parentSpanId,
          status.code,
          status.message,
        ]),
        [
          ["root", "SERVER", "b".repeat(16), "UNSET", ""],
          ["upstream", "CLIENT", root.spanId, "ERROR", "HTTP 503"],
          ["stage", "INTERNAL", root.spanId, "UNSET", ""],
        ],
      );
      assert.deepEqual([...new Set(spans.map(({ traceState }) => traceState))], ["k=1,l=2"]);
      assert.deepEqual(
        root.links.map(({ traceId, spanId }) => [traceId, spanId]),
        [["c".repeat(32), "d".repeat(16)]],
      );
      assert.ok(
        client.startNs >= root.startNs && client.endNs <= root.endNs && client.endNs >= client.startNs,
      );
      assert.deepEqual(root.resource, resource);
      assert.deepEqual(root.scope, { name: "semantic-router", version: "9.9" });
    });
  });
}

test("tells how many bytes it holds, small and large, and leaves others' memory alone", async () => {
  await using receiver = await startOtlpReceiver();
  const exporter = otlpExporter(settingsFor(`http://127.0.0.1:${receiver.port}`), origin);
  // Small buffers come from a pool; handing the pool over would empty this one.
  const bystander = Buffer.from("still here");
  const sizes: number[] = [];
  await Promise.all(
    [1, 200].map(
      (spans) =>
        new Promise<void>((resolve) => {
          sizes.push(exporter.export([traceOf(spans)], () => resolve()));
        }),
    ),
  );
  assert.equal(bystander.toString(), "still here");
  assert.ok(sizes[0]! > 50 && sizes[0]! < 500 && sizes[1]! > 4096, String(sizes));
  assert.equal(receiver.spans.length, 201);
  await exporter.shutdown(1000);
  const { failed, reason } = await exportSpans(exporter, 4);
  assert.deepEqual([failed, reason], [4, "shutdown"]);
});
