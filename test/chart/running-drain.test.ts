import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startModelServer } from "../../scripts/demo/model-server.ts";
import { chat, post } from "../kubernetes/clients.ts";
import { startRelease } from "../kubernetes/release.ts";
import { envoyMissing } from "../support/envoy.ts";
import { helmMissing } from "./helm.ts";

const missing = envoyMissing || helmMissing;

// How a pod ends: Kubernetes runs Envoy's preStop command, then sends it SIGTERM, then, as it is a sidecar, the processor.

const values = (port: number, drainSeconds: number) => ({
  mode: "sidecar",
  config: {
    vllm_endpoints: [{ name: "slow", address: "127.0.0.1", port }],
    model_config: { m: { preferred_endpoints: ["slow"], pii_policy: { allow_by_default: true } } },
    default_model: "m",
  },
  preStopSeconds: 1,
  envoy: { drainSeconds },
});
const stream = chat("hello", { stream: true });

/** Resolves when the model has begun to answer. */
async function begun(server: { readonly requests: readonly unknown[] }): Promise<void> {
  while (server.requests.length === 0) await sleep(10);
  await sleep(200);
}

describe("the end of a pod", { skip: missing }, () => {
  test("waits for the answer under way, serves on meanwhile, and ends as soon as it is through", async () => {
    await using model = await startModelServer({ name: "slow", tokensPerSecond: 5 });
    await using release = await startRelease(values(model.port, 60));
    const order: string[] = [];
    const answer = post(release.port(8801), stream).then((answered) => {
      order.push("answer");
      return answered;
    });
    await begun(model);
    const hook = release.preStop().then((code) => {
      order.push("hook");
      return code;
    });
    await sleep(500);
    // Whoever has not heard yet that this pod goes.
    const late = await post(release.port(8801), chat("hello"));
    assert.equal(late.status, 200);
    assert.equal(late.headers.connection, "close", "a client is told to connect elsewhere");
    assert.equal(await release.ready(), false, "no longer ready, so that its Service leaves it out");
    const { status, body } = await answer;
    assert.equal(status, 200);
    assert.match(body, /data: \[DONE\]/);
    assert.equal(await hook, 0);
    assert.deepEqual(order, ["answer", "hook"]);
    await release.envoy!.stop(10_000);
    await release.router.stop(30_000);
    assert.equal(await release.envoy!.ended, "ended with exit code 0");
    assert.equal(await release.router.ended, "ended with exit code 0");
  });

  test("goes on without the answer that takes longer than envoy.drainSeconds", async () => {
    await using model = await startModelServer({ name: "slow", tokensPerSecond: 1 });
    await using release = await startRelease(values(model.port, 5));
    const answer = post(release.port(8801), stream).then(
      () => "complete",
      () => "cut",
    );
    await begun(model);
    assert.equal(await release.preStop(), 0);
    await release.envoy!.stop(10_000);
    assert.equal(await answer, "cut");
  });
});
