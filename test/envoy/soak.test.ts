import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import { joinEndings } from "../../src/extproc/endings.ts";
import { serve } from "../../src/extproc/server.ts";
import { endpointHealth } from "../../src/pipeline/endpoint-health.ts";
import { buildService } from "../../src/router.ts";
import { startTracing } from "../../src/telemetry/tracing.ts";
import { envoyMissing, startEnvoy } from "../support/envoy.ts";
import { fakeEncoder } from "../support/fake-encoder.ts";
import { answers, startUpstream, type Upstream } from "../support/faulty-upstream.ts";
import { load } from "../support/load.ts";
import { startProduct } from "../support/product.ts";
import { settings } from "../support/tracing.ts";

const exchanges = 20_000;
const clients = 32;
const body = () => '{"model":"m","messages":[{"role":"user","content":"hello"}]}';
const graceful = "envoy.reloadable_features.ext_proc_graceful_grpc_close";
const connectionLimit = [
  "typed_extension_protocol_options",
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
  "common_http_protocol_options",
];

/** The three cures of the reset storm, each alone, and none: that one must fail, or the others prove nothing. */
const cures = [
  { name: "Envoy ends streams gracefully", gracefulClose: true, rotate: false, raiseResetLimit: false },
  {
    name: "Envoy takes a new connection every 900 requests",
    gracefulClose: false,
    rotate: true,
    raiseResetLimit: false,
  },
  {
    name: "the processor takes any number of resets",
    gracefulClose: false,
    rotate: false,
    raiseResetLimit: true,
  },
] as const;

describe(`${exchanges} exchanges over one Envoy`, { skip: envoyMissing }, () => {
  let upstream: Upstream;
  before(async () => {
    upstream = await startUpstream(answers(200, { choices: [] }));
  });
  after(() => upstream.stop());
  const config = () =>
    JSON.stringify({
      vllm_endpoints: [{ name: "one", address: "127.0.0.1", port: upstream.port }],
      model_config: { m: { preferred_endpoints: ["one"] } },
      default_model: "m",
    });

  async function soak(
    cure: { gracefulClose: boolean; rotate: boolean; raiseResetLimit: boolean },
    total: number,
  ) {
    const parsed = parseConfig(config()).config;
    const tracing = startTracing(settings(), "test", undefined);
    const service = buildService(
      parsed,
      { encoder: fakeEncoder(), cache: undefined, health: endpointHealth() },
      tracing,
      1,
    );
    const serving = { enter: () => service, leave: () => {}, endings: joinEndings(() => 0), fault: () => {} };
    const processor = await serve("127.0.0.1:0", serving, { raiseResetLimit: cure.raiseResetLimit });
    const envoy = await startEnvoy({
      endpoints: parsed.vllm_endpoints,
      processor: { address: "127.0.0.1", port: processor.port },
      runtime: { [graceful]: cure.gracefulClose },
      edits: (doc) => {
        const clusters = doc.toJS().static_resources.clusters as { name: string }[];
        const at = clusters.findIndex(({ name }) => name === "processor");
        if (!cure.rotate) doc.deleteIn(["static_resources", "clusters", at, ...connectionLimit]);
      },
    });
    try {
      return await load(envoy.port, body, { total, clients });
    } finally {
      await envoy.stop();
      await processor.stop(1000);
    }
  }

  for (const cure of cures) {
    test(`none fails when only this holds: ${cure.name}`, async () => {
      const { done, failures } = await soak(cure, exchanges);
      assert.deepEqual([done, [...failures]], [exchanges, []]);
    });
  }

  test("without any of the three some do fail", async () => {
    const { failures } = await soak({ gracefulClose: false, rotate: false, raiseResetLimit: false }, 5000);
    assert.ok(failures.size > 0);
  });

  test("with the product as it is none fails and its memory stays flat", async () => {
    await using product = await startProduct(config());
    await using envoy = await startEnvoy({
      endpoints: [{ name: "one", address: "127.0.0.1", port: upstream.port }],
      processor: { address: "127.0.0.1", port: product.port },
    });
    const residents: number[] = [];
    const { failures } = await load(envoy.port, body, {
      total: exchanges,
      clients,
      onProgress: () => residents.push(residentMiB(product.pid)),
    });
    assert.deepEqual([...failures], []);
    const second = mean(residents.slice(25, 50));
    const last = mean(residents.slice(75));
    assert.ok(last <= second * 1.1, `resident memory grew from ${second} to ${last} MiB`);
  });
});

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1024;
}
