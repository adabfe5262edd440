import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ExchangeName, type Sent, startRouter } from "./exchanges.ts";
import { checkFound, searchFor } from "./expected.ts";
import { searchesOf } from "./guide.ts";
import { COLLECTOR_CONFIG, partsMissing, startCollector, startJaeger } from "./servers.ts";

const RESUME_LIMIT_MS = 90_000;

/** A span of another service, as it comes over OTLP in JSON. */
async function sendLate(port: number, traceId: string): Promise<void> {
  const now = String(BigInt(Date.now()) * 1_000_000n);
  const span = {
    traceId,
    spanId: randomBytes(8).toString("hex"),
    name: "llm_request",
    kind: 2,
    startTimeUnixNano: now,
    endTimeUnixNano: now,
  };
  const service = { key: "service.name", value: { stringValue: "vllm-server" } };
  const answer = await fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      resourceSpans: [{ resource: { attributes: [service] }, scopeSpans: [{ spans: [span] }] }],
    }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

describe("through a real Collector to a real Jaeger", { skip: partsMissing }, () => {
  test("the Collector accepts examples/otel-collector/collector.yaml", () => {
    const { status, stderr } = spawnSync(
      process.env.OTELCOL_BIN!,
      ["validate", "--config", COLLECTOR_CONFIG],
      {
        encoding: "utf8",
      },
    );
    assert.equal(status, 0, stderr);
  });

  for (const protocol of ["grpc", "http/protobuf"] as const) {
    test(`over ${protocol}, the guide's searches find the same`, async () => {
      await using jaeger = await startJaeger("badger");
      await using collector = await startCollector(jaeger.otlpGrpcPort, 100);
      const { grpc, http } = collector.ports;
      await using router = await startRouter(
        protocol === "grpc"
          ? { endpoint: `127.0.0.1:${grpc}`, insecure: true }
          : { endpoint: `http://127.0.0.1:${http}`, protocol },
      );
      const sent = await router.sendAll();
      const traces = await Promise.all([...sent.values()].map(({ traceId }) => jaeger.waitFor(traceId)));
      for (const { task, api } of searchesOf())
        checkFound(task, await jaeger.search(searchFor(api, sent)), sent, traces.flat(), "trace");
      assert.doesNotMatch(router.product.log(), /Failed to export/);
    });
  }

  test("tail sampling keeps what was blocked, failed or slow, and none of the rest at 0 percent", async () => {
    await using jaeger = await startJaeger("memory");
    await using collector = await startCollector(jaeger.otlpGrpcPort, 0);
    await using router = await startRouter({
      endpoint: `127.0.0.1:${collector.ports.grpc}`,
      insecure: true,
    });
    const sent = await router.sendAll();
    // Decisions are made in the order of arrival: when the last is there, all others have been made.
    const last = await router.send("PII block");
    await jaeger.waitFor(last.traceId);
    const kept = [
      "PII block",
      "jailbreak block",
      "404 upstream",
      "503 upstream",
      "upstream dead",
      "slow",
    ] as const;
    for (const name of kept) await jaeger.waitFor(sent.get(name)!.traceId);
    const spared: ExchangeName[] = ["answered", "cache hit", "specified", "malformed"];
    for (const name of spared) {
      const { traceId, tookMs } = sent.get(name)!;
      // On a machine that is stopped for so long, these are slow as well.
      if (tookMs < 2000) assert.deepEqual(await jaeger.trace(traceId), [], name);
    }

    // What vLLM sends only now shares the fate of its trace.
    const [dropped, keptTrace] = [sent.get("specified")!, sent.get("503 upstream")!];
    const isThere = async ({ traceId }: Sent) =>
      (await jaeger.trace(traceId)).some(({ name }) => name === "llm_request");
    for (const { traceId } of [dropped, keptTrace]) await sendLate(collector.ports.http, traceId);
    while (!(await isThere(keptTrace))) await sleep(100);
    if (dropped.tookMs < 2000) assert.ok(!(await isThere(dropped)));
  });

  test("export resumes by itself when a Collector that was away is back", async () => {
    await using jaeger = await startJaeger("memory");
    const first = await startCollector(jaeger.otlpGrpcPort, 100);
    await using router = await startRouter({ endpoint: `127.0.0.1:${first.ports.grpc}`, insecure: true });
    const before = await router.send("specified");
    await jaeger.waitFor(before.traceId);
    await first[Symbol.asyncDispose]();
    const meanwhile = await router.send("specified");
    assert.equal(meanwhile.status, 200);

    await using _second = await startCollector(jaeger.otlpGrpcPort, 100, first.ports);
    const deadline = Date.now() + RESUME_LIMIT_MS;
    const after: Sent[] = [];
    for (;;) {
      assert.ok(Date.now() < deadline, `nothing came for ${RESUME_LIMIT_MS} ms\n${router.product.log()}`);
      after.push(await router.send("specified"));
      await sleep(1000);
      const arrived = await Promise.all(after.map(({ traceId }) => jaeger.trace(traceId)));
      if (arrived.some((spans) => spans.length > 0)) break;
    }
    // What was sent in between was kept for another attempt, or the log says that it is lost.
    const kept = async () => (await jaeger.trace(meanwhile.traceId)).length > 0;
    while (!(await kept()) && !/Failed to export spans: /.test(router.product.log())) {
      assert.ok(Date.now() < deadline, "neither kept nor told");
      await sleep(500);
    }
  });
});
