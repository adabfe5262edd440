import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Document, YAMLSeq } from "yaml";
import { CHART } from "../../scripts/chart/files.ts";
import { clusterName, ENVOY_PATHS } from "../../src/envoy/render.ts";
import { envoyMissing, startEnvoy, type TestEnvoy } from "../support/envoy.ts";
import { freePort } from "../support/ports.ts";
import { textOf } from "../support/repo.ts";

/** The scripts that the chart runs in the container of Envoy, with a real Envoy. */
describe("Envoy's scripts", { skip: envoyMissing }, () => {
  const held: ServerResponse[] = [];
  let isHolding = true;
  const upstream = createServer((_, response) => {
    if (!isHolding) return void response.end("whole");
    response.write("wh");
    held.push(response);
  });
  let envoy: TestEnvoy;

  before(() => new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve)));
  after(() => void upstream.close().closeAllConnections());
  beforeEach(async () => {
    isHolding = true;
    const { port } = upstream.address() as AddressInfo;
    envoy = await startEnvoy({
      endpoints: [{ name: "model", address: "127.0.0.1", port }],
      processor: { address: "127.0.0.1", port: await freePort() },
      waitForProcessor: false,
      edits: withoutProcessor,
    });
  });
  afterEach(async () => {
    for (const response of held.splice(0)) response.destroy();
    await envoy.stop();
  });

  function withoutProcessor(doc: Document): void {
    doc.deleteIn(ENVOY_PATHS.extProc.slice(0, -1));
    const route = { match: { prefix: "/model" }, route: { cluster: clusterName("model"), timeout: "0s" } };
    (doc.getIn(ENVOY_PATHS.routes, true) as YAMLSeq).items.unshift(doc.createNode(route));
  }

  function run(script: string, ...args: readonly (string | number)[]) {
    const text = textOf(`${CHART}/files/${script}.sh`);
    const child = spawn("bash", ["-c", text, script, ...args.map(String)], { stdio: "ignore" });
    const state = { code: undefined as number | null | undefined };
    const ended = new Promise<number | null>((resolve) =>
      child.on("exit", (code) => {
        state.code = code;
        resolve(code);
      }),
    );
    return { ended, state };
  }
  const ask = async () => {
    const response = await fetch(`http://127.0.0.1:${envoy.port}/model`);
    return { connection: response.headers.get("connection"), text: response.text() };
  };
  const until = async (what: string, condition: () => Promise<boolean>) => {
    for (const end = Date.now() + 20_000; !(await condition()); await sleep(20))
      assert.ok(Date.now() < end, `it never came to this: ${what}`);
  };
  /** Requests to the admin that were not ours. */
  const asked = async () => {
    own += 1;
    const name = "http.admin.downstream_rq_total";
    return ((await envoy.stats(`^${name}$`)).get(name) ?? 0) - own;
  };
  let own = 0;

  test("the drain lasts until the answer under way is whole, and new requests are served meanwhile", async () => {
    const answer = await ask();
    own = 0;
    const idle = await asked();
    const drain = run("drain", envoy.adminPort, 0, 60);
    // Two calls that begin the drain, and two looks at what is still under way.
    await until("two looks", async () => drain.state.code !== undefined || (await asked()) >= idle + 4);
    assert.equal(drain.state.code, undefined, "it ended with an answer under way");
    isHolding = false;
    const other = await ask();
    assert.equal(await other.text, "whole");
    assert.equal(other.connection, "close", "the client is to connect elsewhere");
    held[0]!.end("ole");
    assert.equal(await answer.text, "whole");
    assert.equal(await drain.ended, 0);
  });

  test("the drain ends when its time is over", async () => {
    const answer = await ask();
    assert.equal(await run("drain", envoy.adminPort, 0, 1).ended, 0);
    held[0]!.end("ole");
    assert.equal(await answer.text, "whole");
  });

  test("the drain ends by itself where nothing is under way, and where Envoy is gone", async () => {
    assert.equal(await run("drain", envoy.adminPort, 0, 600).ended, 0);
    assert.equal(await run("drain", await freePort(), 0, 600).ended, 0);
  });

  test("Envoy is alive while it drains as well, and nothing else is", async () => {
    assert.equal(await run("ready", envoy.adminPort, "any").ended, 0);
    await run("drain", envoy.adminPort, 0, 0).ended;
    assert.notEqual(await run("ready", envoy.adminPort).ended, 0);
    assert.equal(await run("ready", envoy.adminPort, "any").ended, 0);
    assert.notEqual(await run("ready", await freePort(), "any").ended, 0);
  });

  test("Envoy is ready until it drains, and nothing else is", async () => {
    assert.equal(await run("ready", envoy.adminPort).ended, 0);
    await run("drain", envoy.adminPort, 0, 0).ended;
    assert.notEqual(await run("ready", envoy.adminPort).ended, 0);
    assert.notEqual(await run("ready", await freePort()).ended, 0);
  });
});
