import { setTimeout as sleep } from "node:timers/promises";
import type { Document } from "yaml";
import type { EnvoyEndpoint } from "../../src/envoy/render.ts";
import { startEnvoy } from "../support/envoy.ts";

/** A listener in addition to the configuration's own: its processor, and Envoy's tracer if `sampling` is given. */
export interface ListenerOptions {
  readonly processor: string;
  /** Percent of Envoy's own traces. */
  readonly sampling?: number;
  /** Whether Envoy's tracer writes `traceparent` after the processor has. */
  readonly propagates?: boolean;
}

export interface TestListeners<Name extends string> {
  readonly ports: Readonly<Record<Name, number>>;
  stop(): Promise<void>;
}

/** One Envoy with a copy of the project's listener for each name, each before a processor of its own. */
export async function startListeners<Name extends string>(
  endpoints: readonly EnvoyEndpoint[],
  processors: Readonly<Record<string, number>>,
  listeners: Readonly<Record<Name, ListenerOptions>>,
  collectorPort: number,
): Promise<TestListeners<Name>> {
  const [first] = Object.values(processors);
  const envoy = await startEnvoy({
    endpoints,
    processor: { address: "127.0.0.1", port: first! },
    runtime: { "tracing.opentelemetry.min_flush_spans": 1 },
    edits: (doc) => multiply(doc, processors, listeners, collectorPort),
  });
  const until = async (what: string, isSo: () => Promise<boolean>) => {
    for (const deadline = Date.now() + 10_000; !(await isSo()); await sleep(20))
      if (Date.now() > deadline) throw new Error(`Envoy took too long: ${what}`);
  };
  await until("processors are not healthy", async () => {
    const healthy = await envoy.stats("^cluster\\.processor-.*\\.membership_healthy$");
    return [...healthy.values()].filter((hosts) => hosts > 0).length === Object.keys(processors).length;
  });
  const text = await (await fetch(`http://127.0.0.1:${envoy.adminPort}/listeners`)).text();
  const ports = [...text.matchAll(/^(\S+)::\S*:(\d+)$/gm)].map(([, name, port]) => [name, Number(port)]);
  return { ports: Object.fromEntries(ports), stop: () => envoy.stop() };
}

type Part = Record<string, unknown>;
interface Bootstrap {
  static_resources: { listeners: Part[]; clusters: Part[] };
}
interface Listener extends Part {
  filter_chains: [{ filters: [{ typed_config: Part }] }];
}

function multiply(
  doc: Document,
  processors: Readonly<Record<string, number>>,
  listeners: Readonly<Record<string, ListenerOptions>>,
  collectorPort: number,
): void {
  const bootstrap = doc.toJS() as Bootstrap;
  const { static_resources: all } = bootstrap;
  const [listener] = all.listeners;
  const processor = all.clusters.find(({ name }) => name === "processor")!;
  const clusterAt = (cluster: Part, name: string, port: number): Part => {
    const socket_address = { address: "127.0.0.1", port_value: port };
    const endpoints = [{ lb_endpoints: [{ endpoint: { address: { socket_address } } }] }];
    return { ...cluster, name, load_assignment: { cluster_name: name, endpoints } };
  };
  const { health_checks: _, ...unchecked } = processor;
  all.clusters.push(clusterAt(unchecked, "collector", collectorPort));
  for (const [name, port] of Object.entries(processors))
    all.clusters.push(clusterAt(processor, `processor-${name}`, port));
  for (const [name, options] of Object.entries(listeners)) {
    // Whatever calls the processor: the filter, and the access log.
    const copy = JSON.parse(
      JSON.stringify(listener).replaceAll(
        '"cluster_name":"processor"',
        `"cluster_name":"processor-${options.processor}"`,
      ),
    ) as Listener;
    copy.name = name;
    const manager = copy.filter_chains[0].filters[0].typed_config;
    if (options.sampling !== undefined)
      manager.tracing = tracer(options.sampling, options.propagates ?? false);
    all.listeners.push(copy);
  }
  doc.contents = doc.createNode(bootstrap) as typeof doc.contents;
}

const tracer = (percent: number, propagates: boolean): Part => ({
  random_sampling: { value: percent },
  no_context_propagation: !propagates,
  provider: {
    name: "envoy.tracers.opentelemetry",
    typed_config: {
      "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
      grpc_service: { envoy_grpc: { cluster_name: "collector" } },
      service_name: "envoy",
    },
  },
});
