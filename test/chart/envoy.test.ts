import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { parse, parseDocument } from "yaml";
import { ensureEnvoy } from "../../scripts/envoy-binary.ts";
import { type EnvoyEndpoint, type EnvoyOptions, renderEnvoy } from "../../src/envoy/render.ts";
import { envoyMissing } from "../support/envoy.ts";
import { textOf } from "../support/repo.ts";
import { scratchFolder } from "../support/scratch.ts";
import { helmMissing, objects, only } from "./helm.ts";

type Json = Record<string, unknown>;
type Files = {
  readonly bootstrap: Json;
  readonly rds: { resources: Json[] };
  readonly cds: { resources: Json[] };
};

const read = (text: string) => parse(text, { version: "1.1" }) as unknown;

function filesOf(values: {
  readonly mode: string;
  readonly config: object;
  readonly listenAddress?: string;
}): Files & { readonly texts: Record<string, string> } {
  const name = values.mode === "gateway" ? "demo-semantic-router-envoy" : "demo-semantic-router";
  const { data } = only(objects(values), "ConfigMap", name);
  const file = (path: string) => read(data![path]!);
  return {
    bootstrap: file("envoy.yaml") as Json,
    rds: file("rds.yaml") as Files["rds"],
    cds: file("cds.yaml") as Files["cds"],
    texts: data!,
  };
}

/** The one configuration that the three files of the chart were taken from. */
function putTogether({ bootstrap, rds, cds }: Files): Json {
  const { node: _, dynamic_resources, ...whole } = structuredClone(bootstrap);
  const resources = whole.static_resources as { listeners: Json[]; clusters: Json[] };
  const [chain] = resources.listeners[0]!.filter_chains as { filters: { typed_config: Json }[] }[];
  const manager = chain!.filters[0]!.typed_config;
  const { "@type": routeType, ...routes } = rds.resources[0]!;
  const source = (file: string) => ({
    resource_api_version: "V3",
    path_config_source: { path: `/config/${file}`, watched_directory: { path: "/config" } },
  });
  assert.deepEqual(dynamic_resources, { cds_config: source("cds.yaml") });
  assert.deepEqual(manager.rds, { route_config_name: routes.name, config_source: source("rds.yaml") });
  assert.equal(rds.resources.length, 1);
  assert.equal(routeType, "type.googleapis.com/envoy.config.route.v3.RouteConfiguration");
  delete manager.rds;
  manager.route_config = routes;
  const endpoints = cds.resources.map(({ "@type": type, ...cluster }) => {
    assert.equal(type, "type.googleapis.com/envoy.config.cluster.v3.Cluster");
    return cluster;
  });
  resources.clusters = [...endpoints, ...resources.clusters];
  return whole;
}

const plain = (name: string, address = "10.0.0.1", port = 8000): EnvoyEndpoint => ({ name, address, port });
const awkward = [
  "yes",
  "0123",
  "1:30",
  "null",
  "~",
  "a: #b",
  'quo"te',
  "processor",
  "unrouted",
  "org/model",
  "1e3",
];
const cases: readonly [name: string, endpoints: readonly EnvoyEndpoint[], by?: "name" | "address"][] = [
  ["no endpoint", []],
  ["one endpoint", [plain("a")]],
  ["many endpoints", Array.from({ length: 20 }, (_, i) => plain(`model-${i}`, `host-${i}.models`, 8000 + i))],
  ["awkward names", awkward.map((name) => plain(name, "model.models.svc"))],
  ["by address", [plain("four"), plain("six", "fd00::1", 65535), plain("name", "a.models", 1)], "address"],
];

describe("the chart's Envoy configuration is that of `envoy render`", { skip: helmMissing }, () => {
  const shapes = {
    sidecar: { processor: { path: "/run/semantic-router/router.sock" } },
    gateway: { processor: { address: "demo-semantic-router-processor", port: 50051 } },
  } satisfies Record<string, Pick<EnvoyOptions, "processor">>;

  for (const [mode, shape] of Object.entries(shapes))
    for (const listen of ["0.0.0.0", "::"])
      for (const [name, endpoints, by] of cases)
        test(`${mode}, ${listen}: ${name}`, () => {
          const routing = by === undefined ? {} : { routing: { endpoint_header: by } };
          const config = { vllm_endpoints: endpoints, ...routing };
          const wanted = renderEnvoy(textOf("envoy/envoy.yaml"), {
            ...shape,
            endpoints,
            listen: { address: listen, port: 8801 },
            ...(by === undefined ? {} : { endpointHeader: by }),
          });
          assert.deepEqual(putTogether(filesOf({ mode, listenAddress: listen, config })), read(wanted));
        });
});

describe("a real Envoy takes the chart's three files", { skip: helmMissing || envoyMissing }, () => {
  const { folder, put } = scratchFolder("chart-envoy");
  for (const mode of ["sidecar", "gateway"])
    for (const [name, endpoints] of cases.slice(0, 4))
      test(`${mode}: ${name}`, async () => {
        const { texts } = filesOf({ mode, config: { vllm_endpoints: endpoints } });
        for (const [file, text] of Object.entries(texts)) put(file, text.replaceAll("/config", folder));
        const envoy = await ensureEnvoy(() => {});
        const check = (file: string) =>
          spawnSync(envoy, ["--mode", "validate", "-c", `${folder}/${file}`], { encoding: "utf8" });
        assert.equal(check("envoy.yaml").status, 0, check("envoy.yaml").stderr.slice(-2_000));
        // Files that are watched are not read there: for the look at them they stand where the file had them.
        put(
          "whole.yaml",
          parseDocument(
            JSON.stringify(putTogether(filesOf({ mode, config: { vllm_endpoints: endpoints } }))),
          ).toString(),
        );
        assert.equal(check("whole.yaml").status, 0, check("whole.yaml").stderr.slice(-2_000));
      });
});

describe("what restarts pods", { skip: helmMissing }, () => {
  const podsOf = (values: object) =>
    objects(values)
      .filter(({ kind }) => kind === "Deployment")
      .map(({ spec }) => spec!.template);
  const quiet = {
    config: {
      vllm_endpoints: [plain("a")],
      model_config: { m: { preferred_endpoints: ["a"] } },
      default_model: "m",
      routing: { endpoint_header: "address" },
      observability: { tracing: { enabled: true } },
    },
  };
  for (const mode of ["sidecar", "standalone", "gateway"]) {
    test(`${mode}: no change of routing does`, () =>
      assert.deepEqual(podsOf({ mode, ...quiet }), podsOf({ mode })));
    test(`${mode}: neither do labels of the chart's version`, () => {
      for (const pod of podsOf({ mode }))
        assert.doesNotMatch(JSON.stringify(pod), /helm\.sh\/chart|\/version/);
    });
  }
  test("a changed bootstrap of Envoy does", () => {
    for (const mode of ["sidecar", "gateway"]) {
      const pods = [podsOf({ mode }), podsOf({ mode, listenAddress: "::" })].map((all) =>
        all.map((pod) => pod?.metadata?.annotations?.["checksum/envoy"]).filter(Boolean),
      );
      assert.equal(pods[0]!.length, 1);
      assert.notDeepEqual(pods[0], pods[1]);
    }
  });
});
