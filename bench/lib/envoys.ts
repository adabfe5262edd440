import { isMap, isSeq } from "yaml";
import { clusterName, ENVOY_PATHS } from "../../src/envoy/render.ts";
import { startEnvoy, type TestEnvoy, type TestEnvoyOptions } from "../../test/support/envoy.ts";
import { endpointNames } from "./configs.ts";
import { childrenOf } from "./cpu.ts";

export interface MeasuredEnvoy extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

type Edit = NonNullable<TestEnvoyOptions["edits"]>;

/** One line a request on a pipe to us would be our own CPU, on both sides of the comparison. */
const withoutAccessLog: Edit = (doc) => doc.deleteIn([...ENVOY_PATHS.connectionManager, "access_log"]);

/** The product's Envoy: its own configuration file, with a processor. */
export function envoyWithProcessor(upstream: number, processor: number): Promise<MeasuredEnvoy> {
  // The first entry is the log that goes to the processor: a part of the product, and of its cost.
  return start(upstream, processor, (doc) =>
    doc.deleteIn([...ENVOY_PATHS.connectionManager, "access_log", 1]),
  );
}

/** The same file with the ext_proc filter and its cluster taken out and everything routed to one endpoint. */
export function envoyAlone(upstream: number): Promise<MeasuredEnvoy> {
  return start(upstream, 9, (doc) => {
    withoutAccessLog(doc);
    doc.deleteIn([...ENVOY_PATHS.connectionManager, "http_filters", 0]);
    doc.setIn(ENVOY_PATHS.routes, [
      { match: { prefix: "/" }, route: { cluster: clusterName(endpointNames[0]), timeout: "0s" } },
    ]);
    const clusters = doc.getIn(ENVOY_PATHS.clusters, true);
    if (!isSeq(clusters)) throw new Error("the Envoy template has no clusters");
    clusters.items = clusters.items.filter((item) => isMap(item) && item.get("name") !== "processor");
  });
}

async function start(upstream: number, processor: number, edits: Edit): Promise<MeasuredEnvoy> {
  const before = new Set(childrenOf(process.pid));
  const envoy: TestEnvoy = await startEnvoy({
    endpoints: endpointNames.map((name) => ({ name, address: "127.0.0.1", port: upstream })),
    processor: { address: "127.0.0.1", port: processor },
    edits,
    waitForProcessor: processor !== 9,
  });
  // The watchdog that ends it with us is started after it, so Envoy is the first new one.
  const pid = childrenOf(process.pid).find((one) => !before.has(one)) ?? Number.NaN;
  return { port: envoy.port, pid, [Symbol.asyncDispose]: () => envoy.stop() };
}
