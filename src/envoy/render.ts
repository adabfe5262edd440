import { type Document, isMap, isSeq, parseDocument, visit, type YAMLMap, type YAMLSeq } from "yaml";

export type Address = { readonly address: string; readonly port: number };
export type EnvoyEndpoint = Address & { readonly name: string };

export type EnvoyOptions = {
  readonly endpoints: readonly EnvoyEndpoint[];
  /** Where clients connect. */
  readonly listen?: Address;
  readonly admin?: Address;
  readonly processor?: Address | { readonly path: string };
  /** What `x-vsr-destination-endpoint` carries, as `routing.endpoint_header` says; default `name`. */
  readonly endpointHeader?: "name" | "address";
};

const ENDPOINT_HEADER = "x-vsr-destination-endpoint";
const LISTENER = ["static_resources", "listeners", 0] as const;
const MANAGER = [...LISTENER, "filter_chains", 0, "filters", 0, "typed_config"] as const;

/** Where things are in `envoy/envoy.yaml`. */
export const ENVOY_PATHS = {
  listener: LISTENER,
  connectionManager: MANAGER,
  routes: [...MANAGER, "route_config", "virtual_hosts", 0, "routes"],
  extProc: [...MANAGER, "http_filters", 0, "typed_config"],
  clusters: ["static_resources", "clusters"],
  runtime: ["layered_runtime", "layers", 0, "static_layer"],
} as const;

/** Envoy's cluster for an endpoint; the prefix keeps endpoint names apart from the processor's. */
export const clusterName = (endpoint: string): string => `endpoint/${endpoint}`;

/**
 * Envoy's configuration for a set of endpoints, made from the text of `envoy/envoy.yaml`. This is the only place that
 * knows how that file is built; what it does not replace, comments included, stays as it is.
 */
export function renderEnvoy(template: string, options: EnvoyOptions): string {
  // Envoy reads YAML 1.1, where a bare `yes` or `1:30` is no string: let the writer quote such names.
  const doc = parseDocument(template, { version: "1.1" });
  if (doc.errors[0]) throw doc.errors[0];
  refuseDuplicates(options.endpoints);

  const byAddress = options.endpointHeader === "address";
  replicate(doc, ENVOY_PATHS.routes, isEndpointRoute, options.endpoints, (route, endpoint) => {
    route.set("name", endpoint.name);
    route.setIn(
      ["match", "headers", 0, "string_match", "exact"],
      byAddress ? hostPort(endpoint) : endpoint.name,
    );
    route.setIn(["route", "cluster"], clusterName(endpoint.name));
  });
  replicate(doc, ENVOY_PATHS.clusters, isEndpointCluster, options.endpoints, (cluster, endpoint) => {
    cluster.set("name", clusterName(endpoint.name));
    setClusterAddress(cluster, endpoint);
  });

  if (options.listen) setSocket(mapAt(doc, LISTENER), ["address"], options.listen);
  if (options.admin) setSocket(mapAt(doc, ["admin"]), ["address"], options.admin);
  if (options.processor) {
    const processor = seqAt(doc, ENVOY_PATHS.clusters).items.find(
      (item) => isMap(item) && !isEndpointCluster(item),
    );
    if (!isMap(processor)) throw new Error("the Envoy template has no cluster for the processor");
    setClusterAddress(processor, options.processor);
  }
  // Folded lines would be legal, and unreadable.
  return doc.toString({ lineWidth: 0 });
}

/** Puts one copy of the first matching item for each endpoint in the place of all matching ones. */
function replicate(
  doc: Document,
  path: readonly (string | number)[],
  matches: (item: YAMLMap) => boolean,
  endpoints: readonly EnvoyEndpoint[],
  point: (item: YAMLMap, endpoint: EnvoyEndpoint) => void,
): void {
  const list = seqAt(doc, path);
  const at = list.items.findIndex((item) => isMap(item) && matches(item));
  const pattern = list.items[at];
  if (!isMap(pattern)) throw new Error(`the Envoy template has nothing to copy at ${path.join(".")}`);
  const others = list.items.filter((item) => !isMap(item) || !matches(item));
  const copies = endpoints.map((endpoint, index) => {
    const copy = pattern.clone() as YAMLMap;
    // The reasons are given once, on the first.
    if (index > 0) dropComments(copy);
    point(copy, endpoint);
    return copy;
  });
  list.items = [...others.slice(0, at), ...copies, ...others.slice(at)];
}

function isEndpointRoute(route: YAMLMap): boolean {
  return route.getIn(["match", "headers", 0, "name"]) === ENDPOINT_HEADER;
}

function isEndpointCluster(cluster: YAMLMap): boolean {
  return String(cluster.get("name")).startsWith(clusterName(""));
}

function setClusterAddress(cluster: YAMLMap, to: Address | { readonly path: string }): void {
  cluster.setIn(["load_assignment", "cluster_name"], cluster.get("name"));
  const path = ["load_assignment", "endpoints", 0, "lb_endpoints", 0, "endpoint", "address"];
  if ("path" in to) {
    cluster.setIn(path, { pipe: { path: to.path } });
    // There is no name to look up, and Envoy refuses a pipe in a DNS cluster.
    cluster.set("type", "STATIC");
    cluster.delete("dns_lookup_family");
  } else {
    setSocket(cluster, path, to);
  }
}

function setSocket(node: YAMLMap, path: readonly (string | number)[], to: Address): void {
  node.setIn([...path, "socket_address", "address"], bareHost(to.address));
  node.setIn([...path, "socket_address", "port_value"], to.port);
}

/** An IPv6 address without the brackets of a URL. */
const bareHost = (address: string): string => address.replace(/^\[(.*)\]$/, "$1");

function hostPort({ address, port }: Address): string {
  const host = bareHost(address);
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function refuseDuplicates(endpoints: readonly EnvoyEndpoint[]): void {
  const seen = new Set<string>();
  for (const { name } of endpoints) {
    if (!name || seen.has(name))
      throw new Error(name ? `two endpoints are named ${name}` : "an endpoint has no name");
    seen.add(name);
  }
}

function dropComments(node: YAMLMap): void {
  visit(node, {
    Node: (_, item) => {
      item.commentBefore = null;
      item.comment = null;
      item.spaceBefore = false;
    },
  });
}

function mapAt(doc: Document, path: readonly (string | number)[]): YAMLMap {
  const node = doc.getIn(path, true);
  if (!isMap(node)) throw new Error(`the Envoy template has no mapping at ${path.join(".")}`);
  return node;
}

function seqAt(doc: Document, path: readonly (string | number)[]): YAMLSeq {
  const node = doc.getIn(path, true);
  if (!isSeq(node)) throw new Error(`the Envoy template has no list at ${path.join(".")}`);
  return node;
}
