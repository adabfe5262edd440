import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ModelServer, startModelServer } from "../../scripts/demo/model-server.ts";
import { chat, keepAsking, post } from "../kubernetes/clients.ts";
import { type Release, startRelease } from "../kubernetes/release.ts";
import { envoyMissing } from "../support/envoy.ts";
import { helmMissing } from "./helm.ts";

const missing = envoyMissing || helmMissing;

// Endpoints that come and go while clients ask: the ConfigMap's links are swapped as a kubelet does it.

/** `used`: the endpoints that the model may be asked at; `known`: those that Envoy has clusters for. */
const valuesOf = (mode: string, known: readonly [string, ModelServer][], used: readonly string[]) => ({
  mode,
  config: {
    vllm_endpoints: known.map(([name, { port }]) => ({ name, address: "127.0.0.1", port })),
    model_config: { m: { preferred_endpoints: used, pii_policy: { allow_by_default: true } } },
    default_model: "m",
  },
});

const reloads = ({ router }: Release) => router.log().split("configuration reloaded").length - 1;

async function reloaded(release: Release, before: number): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (reloads(release) === before) {
    if (Date.now() > deadline) throw new Error(`no reload:\n${release.router.log()}`);
    await sleep(20);
  }
}

async function envoyHas(release: Release, cluster: string, there: boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  const clusters = async () => (await fetch(`http://127.0.0.1:${release.port(19000)}/clusters`)).text();
  while ((await clusters()).includes(`endpoint/${cluster}::`) !== there) {
    if (Date.now() > deadline)
      throw new Error(`Envoy still has ${there ? "no" : "a"} cluster for ${cluster}`);
    await sleep(20);
  }
}

async function moreAsked(to: ModelServer): Promise<void> {
  const before = to.requests.length;
  const deadline = Date.now() + 10_000;
  while (to.requests.length < before + 10) {
    if (Date.now() > deadline) throw new Error("the endpoint is not asked");
    await sleep(20);
  }
}

async function longBegun(server: ModelServer): Promise<void> {
  while (!server.requests.some(({ body }) => body.includes("a long story"))) await sleep(10);
}

describe("endpoints under load", { skip: missing }, () => {
  for (const mode of ["sidecar", "gateway"] as const) {
    test(`${mode}: added, used, unused and removed, without a restart and without a failed request`, async () => {
      await using one = await startModelServer({ name: "one" });
      await using two = await startModelServer({ name: "two", tokensPerSecond: 3 });
      const known: [string, ModelServer][] = [
        ["one", one],
        ["two", two],
      ];
      await using release = await startRelease(valuesOf(mode, known.slice(0, 1), ["one"]));
      const change = async (...values: Parameters<typeof valuesOf>) => {
        const before = reloads(release);
        release.upgrade(valuesOf(...values));
        await reloaded(release, before);
      };
      await using load = keepAsking(release.port(8801), (n) => chat(`question ${n}`));
      await moreAsked(one);
      if (mode === "sidecar") {
        // One ConfigMap for both containers, and Envoy is the faster one: a new endpoint may be used at once.
        await change(mode, known, ["two"]);
      } else {
        // Two ConfigMaps in two pods, brought up to date at different times: make it known first, then use it.
        await change(mode, known, ["one"]);
        await envoyHas(release, "two", true);
        await change(mode, known, ["two"]);
      }
      await moreAsked(two);
      // Still on its way when its endpoint is known no more.
      const long = post(release.port(8801), chat("a long story", { stream: true }));
      let isOver = false;
      void long.then(() => {
        isOver = true;
      });
      await longBegun(two);
      // The other way round: nobody may be sent where Envoy knows no way any more.
      await change(mode, known, ["one"]);
      await moreAsked(one);
      await change(mode, known.slice(0, 1), ["one"]);
      await envoyHas(release, "two", false);
      assert.equal(isOver, false, "the long answer outlived its endpoint");
      await moreAsked(one);
      await load.stop();
      assert.match((await long).body, /data: \[DONE\]/);
      assert.deepEqual(Object.fromEntries(load.failures), {});
      assert.ok(load.asked > 100, `${load.asked} requests`);
      assert.equal(reloads(release), mode === "sidecar" ? 3 : 4);
    });
  }

  test("removed while it is still in use: refused for the moment that the processor needs, then all is well", async (t) => {
    await using one = await startModelServer({ name: "one" });
    await using two = await startModelServer({ name: "two" });
    const known: [string, ModelServer][] = [
      ["one", one],
      ["two", two],
    ];
    await using release = await startRelease(valuesOf("sidecar", known, ["two"]));
    await using load = keepAsking(release.port(8801), (n) => chat(`question ${n}`));
    await moreAsked(two);
    const before = reloads(release);
    release.upgrade(valuesOf("sidecar", known.slice(0, 1), ["one"]));
    await reloaded(release, before);
    await moreAsked(one);
    const failedBy = Object.fromEntries(load.failures);
    await moreAsked(one);
    await load.stop();
    assert.deepEqual(Object.fromEntries(load.failures), failedBy, "nothing fails afterwards");
    for (const what of Object.keys(failedBy)) assert.match(what, /^503 .*(no_endpoint|endpoint_unavailable)/);
    t.diagnostic(`removed at once: ${JSON.stringify(failedBy)} of ${load.asked}`);
  });
});
