import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { must } from "../../scripts/kubernetes/kubectl.ts";
import { egctl } from "./cluster.ts";

/** JSON whose shape is known to whoever asks. */
interface Tree {
  readonly [key: string]: Tree;
}
const listOf = (node: Tree | undefined): readonly Tree[] => (Array.isArray(node) ? node : []);

const GATEWAY_CLASS = [
  {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GatewayClass",
    metadata: { name: "eg" },
    spec: {
      controllerName: "gateway.envoyproxy.io/gatewayclass-controller",
      parametersRef: { group: "gateway.envoyproxy.io", kind: "EnvoyProxy", name: "eg", namespace: "default" },
    },
  },
  {
    apiVersion: "gateway.envoyproxy.io/v1alpha1",
    kind: "EnvoyProxy",
    metadata: { name: "eg", namespace: "default" },
    // By the address of a Service: without a cluster there are no addresses of pods.
    spec: { routingType: "Service" },
  },
];

export interface Translated {
  /** Every condition in the objects' status: what, whether, why. */
  readonly conditions: readonly { type: string; status: string; message: string }[];
  /** The configuration that Envoy Gateway would send to its Envoy. */
  readonly xds: readonly Tree[];
}

/** What Envoy Gateway makes of these objects. */
export function translate(objects: readonly object[]): Translated {
  const folder = mkdtempSync(join(tmpdir(), "translate-"));
  try {
    const file = join(folder, "objects.yaml");
    writeFileSync(file, [...GATEWAY_CLASS, ...objects].map((object) => stringify(object)).join("---\n"));
    const args = [
      "x",
      "translate",
      "--from",
      "gateway-api",
      "--to",
      "gateway-api,xds",
      "-t",
      "all",
      "-o",
      "json",
    ];
    const { xds, ...rest } = JSON.parse(must(egctl, [...args, "-f", file])) as { xds: Tree };
    const conditions: Translated["conditions"][number][] = [];
    collect(rest, conditions);
    return { conditions, xds: Object.values(xds).flatMap((one) => listOf(one.configs)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function collect(node: unknown, into: object[]): void {
  if (typeof node !== "object" || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    if (key === "conditions") into.push(...(value as object[]));
    else collect(value, into);
  }
}

/** A file for Envoy with the same listener, routes and clusters, whose addresses are turned into others. */
export function staticBootstrap(
  xds: readonly Tree[],
  ports: { readonly listen: number; readonly admin: number },
  turn: (address: string, port: number) => { address: string; port: number },
): string {
  const dump = (kind: string, key: string): readonly Tree[] =>
    listOf(xds.find((one) => String(one["@type"]).endsWith(kind))?.[key]);
  const named = (nodes: readonly (Tree | undefined)[], key: string) =>
    new Map(nodes.map((node) => [String(node?.[key]), withoutType(node)]));
  const routes = named(
    dump("RoutesConfigDump", "dynamicRouteConfigs").map(({ routeConfig }) => routeConfig),
    "name",
  );
  const placed = named(
    dump("EndpointsConfigDump", "dynamicEndpointConfigs").map(({ endpointConfig }) => endpointConfig),
    "clusterName",
  );
  const clusters = dump("ClustersConfigDump", "dynamicActiveClusters").map(({ cluster }) => {
    const { edsClusterConfig, ...rest } = withoutType(cluster);
    if (!edsClusterConfig) return rest;
    return { ...rest, type: "STATIC", loadAssignment: placed.get(String(edsClusterConfig.serviceName)) };
  });
  // The other listeners are for statistics and probes.
  const plain = dump("ListenersConfigDump", "dynamicListeners")
    .map(({ activeState }) => withoutType(activeState?.listener))
    .find((one) => one.defaultFilterChain !== undefined);
  const manager = listOf(plain?.defaultFilterChain?.filters)[0]?.typedConfig as unknown as Record<
    string,
    unknown
  >;
  const { routeConfigName } = manager.rds as { routeConfigName: string };
  delete manager.rds;
  manager.routeConfig = routes.get(routeConfigName);
  const at = (port: number) => ({ socketAddress: { address: "127.0.0.1", portValue: port } });
  const bootstrap = {
    admin: { address: at(ports.admin) },
    staticResources: { listeners: [{ ...plain, address: at(ports.listen) }], clusters },
  };
  return JSON.stringify(bootstrap, (key, value: unknown) => {
    if (key !== "socketAddress") return value;
    const { address, portValue } = value as { address: string; portValue: number };
    const turned = turn(address, portValue);
    return { address: turned.address, portValue: turned.port };
  });
}

function withoutType(node: Tree | undefined): Tree {
  const { "@type": _, ...rest } = { ...node };
  return rest as Tree;
}
