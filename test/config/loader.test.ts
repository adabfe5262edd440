import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import type { Worker } from "node:worker_threads";
import { pack, unpack } from "../../src/config/carry.ts";
import { loadConfig } from "../../src/config/load.ts";
import { configLoader } from "../../src/config/loader.ts";
import { ConfigError } from "../../src/config/problem.ts";
import { filesUnder, repoRoot } from "../support/repo.ts";
import { scratchFolder } from "../support/scratch.ts";

const { put } = scratchFolder("loader-test");

describe("a configuration that was read in another thread", () => {
  for (const name of filesUnder("examples/config", /\.yaml$/)) {
    test(`${name}: is what this thread reads`, async () => {
      const file = `${repoRoot}/${name}`;
      const loader = configLoader();
      const there = await loader.load(file);
      const here = loadConfig(file);
      loader.close();
      assert.deepEqual({ ...there, written: undefined }, { ...here, written: undefined });
      for (const path of [
        "observability",
        "observability.tracing.enabled",
        "observability.tracing.exporter.endpoint",
        "observability.tracing.sampling.rate",
        "observability.nothing",
        "categories",
      ])
        assert.equal(there.written(path), here.written(path), path);
    });
  }

  test("its tables hold what the file names and nothing else, and nobody can change it", async () => {
    const file = put("table.yaml", "model_config: { m: {} }\nvllm_endpoints: []\n");
    const { config } = unpack(structuredClone(pack(loadConfig(file))));
    assert.equal(config.model_config.constructor, undefined);
    assert.equal(Object.isFrozen(config.model_config.m), true);
  });

  test("variables are those of the call; what is wrong is said with its place", async () => {
    const text = "auto_model_name: $" + "{NAME}\nlimits: { max_json_dept: 1 }\n";
    const file = put("variable.yaml", text);
    const loader = configLoader({ NAME: "x" });
    const poorer = configLoader({});
    await assert.rejects(
      loader.load(file),
      (error) =>
        error instanceof ConfigError &&
        error.problems.length === 1 &&
        error.message.startsWith(`${file}:2:11 limits.max_json_dept: unknown key`),
    );
    await assert.rejects(poorer.load(file), /NAME is not set/);
    poorer.close();
    await assert.rejects(loader.load("/nowhere.yaml"), /no such file/);
    loader.close();
  });

  test("a file that is expected is read ahead, and what was found then is not what is loaded", async () => {
    const file = put("expected.yaml", "{ unknown: 1 }");
    const loader = configLoader();
    const started = once(process, "worker");
    loader.expect(file);
    const [worker] = (await started) as [Worker];
    assert.equal(((await once(worker, "message")) as [{ kind: string }])[0].kind, "refused");
    loader.expect(file);
    put("expected.yaml", "limits: {}");
    const loaded = await loader.load(file);
    assert.equal(loaded.source.text, "limits: {}");
    loader.close();
  });

  test("a thread that dies fails the call, and the next one has another", async () => {
    const file = put("fine.yaml", "{}");
    const loader = configLoader();
    const started = once(process, "worker");
    const failing = loader.load(file);
    const [worker] = (await started) as [Worker];
    void worker.terminate();
    await assert.rejects(failing, /the thread that reads the configuration ended/);
    assert.equal((await loader.load(file)).source.text, "{}");
    loader.close();
  });
});
