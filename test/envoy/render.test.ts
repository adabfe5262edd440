import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parse } from "yaml";
import { ensureEnvoy } from "../../scripts/envoy-binary.ts";
import { loadConfig } from "../../src/config/load.ts";
import { type EnvoyOptions, renderEnvoy } from "../../src/envoy/render.ts";
import { envoyMissing } from "../support/envoy.ts";

const COMMITTED = join(import.meta.dirname, "../../envoy/envoy.yaml");
const template = readFileSync(COMMITTED, "utf8");
const folder = mkdtempSync(join(tmpdir(), "render-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const QUICKSTART = ["math-endpoint", "code-endpoint", "general-endpoint"].map((name, index) => ({
  name,
  address: "127.0.0.1",
  port: 8811 + index,
}));
const some = (count: number): EnvoyOptions["endpoints"] =>
  Array.from({ length: count }, (_, index) => ({
    name: `e${index}`,
    address: `host-${index}.example`,
    port: 8000 + index,
  }));

async function validate(text: string): Promise<void> {
  const file = join(folder, "envoy.yaml");
  writeFileSync(file, text);
  const { status, stderr } = spawnSync(await ensureEnvoy(() => {}), ["--mode", "validate", "-c", file], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr.slice(-2_000));
}

/** Where a request with a given header value ends, by the rendered text alone. */
function destinations(text: string): Record<string, string> {
  const { static_resources } = parse(text) as Rendered;
  const routes =
    static_resources.listeners[0]!.filter_chains[0]!.filters[0]!.typed_config.route_config.virtual_hosts[0]!
      .routes;
  const clusters = new Map(static_resources.clusters.map((cluster) => [cluster.name, cluster]));
  return Object.fromEntries(
    routes.flatMap(({ match, route }) => {
      const value = match.headers?.[0]?.string_match.exact;
      const cluster = clusters.get(route?.cluster ?? "");
      assert.equal(cluster?.load_assignment.cluster_name, cluster?.name);
      const socket = cluster?.load_assignment.endpoints[0]?.lb_endpoints[0]?.endpoint.address.socket_address;
      return value === undefined ? [] : [[value, `${socket?.address} ${socket?.port_value}`]];
    }),
  );
}
type Rendered = {
  static_resources: {
    listeners: {
      filter_chains: {
        filters: { typed_config: { route_config: { virtual_hosts: { routes: Route[] }[] } } }[];
      }[];
    }[];
    clusters: {
      name: string;
      load_assignment: {
        cluster_name: string;
        endpoints: { lb_endpoints: { endpoint: { address: Socket } }[] }[];
      };
    }[];
  };
};
type Route = { match: { headers?: { string_match: { exact: string } }[] }; route?: { cluster: string } };
type Socket = { socket_address: { address: string; port_value: number } };

test("the committed file is what its own endpoints render to, comments included", () => {
  assert.equal(renderEnvoy(template, { endpoints: QUICKSTART }), template);
});

test("the committed file serves the endpoints of the quickstart's configuration", () => {
  const { config } = loadConfig(join(import.meta.dirname, "../../examples/config/quickstart.yaml"), {});
  const endpoints = config.vllm_endpoints.map(({ name, address, port }) => ({ name, address, port }));
  assert.deepEqual(destinations(renderEnvoy(template, { endpoints })), destinations(template));
});

const awkward = ["yes", "0123", "1:30", "null", "~", "a: #b", 'quo"te', "processor", "unrouted", "org/model"];
const renderings: { name: string; options: EnvoyOptions }[] = [
  { name: "the committed file", options: { endpoints: QUICKSTART } },
  { name: "no endpoint", options: { endpoints: [] } },
  { name: "one endpoint", options: { endpoints: some(1) } },
  { name: "twenty endpoints", options: { endpoints: some(20) } },
  { name: "IPv6", options: { endpoints: [{ name: "six", address: "[::1]", port: 80 }] } },
  {
    name: "names that YAML would take for something else",
    options: { endpoints: awkward.map((name, port) => ({ name, address: "::1", port: port + 1 })) },
  },
  { name: "a Unix socket", options: { endpoints: some(1), processor: { path: "/tmp/processor.sock" } } },
  {
    name: "other ports",
    options: {
      endpoints: some(2),
      listen: { address: "::", port: 80 },
      admin: { address: "::1", port: 81 },
      processor: { address: "router", port: 82 },
    },
  },
];
for (const { name, options } of renderings) {
  test(`${name}: each endpoint has its way, and Envoy takes it`, { skip: envoyMissing }, async () => {
    const text = renderEnvoy(template, options);
    const wanted = options.endpoints.map((e) => [e.name, `${e.address.replace(/[[\]]/g, "")} ${e.port}`]);
    assert.deepEqual(destinations(text), Object.fromEntries(wanted));
    await validate(text);
  });
}

test("endpoints may be chosen by address", () => {
  const endpoints = [
    { name: "four", address: "10.0.0.1", port: 80 },
    { name: "six", address: "::1", port: 81 },
  ];
  const text = renderEnvoy(template, { endpoints, endpointHeader: "address" });
  assert.deepEqual(destinations(text), { "10.0.0.1:80": "10.0.0.1 80", "[::1]:81": "::1 81" });
});

test("the reasons in the comments are given once", () => {
  const text = renderEnvoy(template, { endpoints: some(5) });
  for (const [reason] of template.matchAll(/# .*/g)) assert.equal(text.split(reason).length, 2, reason);
});

const refused = [
  {
    name: "two endpoints of one name",
    endpoints: [...some(1), ...some(1)],
    says: /two endpoints are named e0/,
  },
  {
    name: "an endpoint without a name",
    endpoints: [{ name: "", address: "a", port: 1 }],
    says: /has no name/,
  },
];
for (const { name, endpoints, says } of refused) {
  test(`${name} is refused`, () => assert.throws(() => renderEnvoy(template, { endpoints }), says));
}
