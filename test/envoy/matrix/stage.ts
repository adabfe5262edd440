import { setTimeout as sleep } from "node:timers/promises";
import type { Document } from "yaml";
import { type OtlpReceiver, startOtlpReceiver } from "../../../scripts/demo/otlp-receiver.ts";
import { ENVOY_PATHS } from "../../../src/envoy/render.ts";
import { startEnvoy, type TestEnvoy } from "../../support/envoy.ts";
import { freePort } from "../../support/ports.ts";
import { type RouterProcess, startRouterProcess } from "./process.ts";
import { type MatrixUpstream, startMatrixUpstream } from "./upstream.ts";

/** A router, an Envoy, a faulty upstream and a collector; all real. */
export interface Stage extends AsyncDisposable {
  readonly envoy: TestEnvoy;
  readonly router: RouterProcess;
  readonly upstream: MatrixUpstream;
  readonly receiver: OtlpReceiver;
  /** Writes another configuration, tracing included, and waits until it is in force. */
  reload(): Promise<void>;
}

export async function startStage(log: boolean, drainSeconds: number): Promise<Stage> {
  const parts: AsyncDisposable[] = [];
  const use = <T extends AsyncDisposable>(part: T): T => {
    parts.unshift(part);
    return part;
  };
  const dispose = async () => {
    for (const part of parts) await part[Symbol.asyncDispose]();
  };
  try {
    const upstream = use(await startMatrixUpstream());
    const receiver = use(await startOtlpReceiver());
    const endpoints = [{ name: "good", address: "127.0.0.1", port: upstream.port }];
    const config = (delayMs: number) => configuration(endpoints, receiver.port, drainSeconds, delayMs);
    const router = await startRouterProcess(config(50));
    use({ [Symbol.asyncDispose]: router.stop });
    const dead = { name: "dead", address: "127.0.0.1", port: await freePort() };
    const envoy = use(
      await startEnvoy({
        endpoints: [...endpoints, dead],
        processor: { address: "127.0.0.1", port: router.port },
        edits: (doc) => edit(doc, log),
      }),
    );
    return {
      envoy,
      router,
      upstream,
      receiver,
      async reload() {
        router.configure(config(60));
        await router.said("configuration reloaded");
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Answers to its messages that Envoy has had from its router so far. */
export async function answersOfRouter(envoy: TestEnvoy): Promise<number> {
  const counts = await envoy.stats("ext_proc\\.stream_msgs_received$");
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** Routes of their own for what only a route can do, chosen by the header that tells upstream what to do. */
function edit(doc: Document, log: boolean): void {
  const { clusters, connectionManager, routes } = ENVOY_PATHS;
  // With the silences of the matrix; a loaded machine must still answer within.
  const special: Record<string, object> = {
    refuse: { cluster: "endpoint/dead" },
    think: { timeout: "1s" },
    silence: { idle_timeout: "1s" },
    "reset-once": { retry_policy: { retry_on: "reset,connect-failure", num_retries: 1 } },
  };
  const list = (doc.getIn(routes, true) as { toJSON(): RouteShape[] }).toJSON();
  const pattern = list.find(({ name }) => name === "good")!;
  const added = Object.entries(special).map(([value, route]) => ({
    ...pattern,
    name: value,
    match: {
      ...pattern.match,
      headers: [...pattern.match.headers, { name: "x-upstream", string_match: { exact: value } }],
    },
    route: { ...pattern.route, ...route },
  }));
  doc.setIn(routes, doc.createNode([...added, ...list]));
  // Envoy's default is 3 at a time.
  doc.setIn([...clusters, 0, "circuit_breakers", "thresholds", 0, "max_retries"], 100);
  if (!log) doc.deleteIn([...connectionManager, "access_log", 0]);
}

interface RouteShape {
  readonly name: string;
  readonly match: { readonly headers: readonly object[] };
  readonly route: object;
}

function configuration(
  endpoints: readonly object[],
  otlpPort: number,
  drainSeconds: number,
  delay_ms: number,
) {
  const pii_policy = {
    allow_by_default: false,
    pii_types_allowed: ["GPE", "PERSON", "ORGANIZATION", "DATE_TIME", "NRP", "TITLE", "AGE"],
  };
  const model = { preferred_endpoints: ["good"], pii_policy };
  const scores = (name: string) => [{ model: name, score: 0.9, use_reasoning: false }];
  return {
    vllm_endpoints: endpoints,
    model_config: { calc: model, talk: model },
    default_model: "talk",
    categories: [
      { name: "math", system_prompt: "You are exact.", model_scores: scores("calc") },
      { name: "other", model_scores: scores("talk") },
    ],
    classifier: { category_model: { threshold: 0.5 }, pii_model: {} },
    prompt_guard: { enabled: true },
    semantic_cache: { enabled: true, similarity_threshold: 0.97 },
    server: { drain_seconds: drainSeconds },
    observability: {
      tracing: {
        enabled: true,
        exporter: { endpoint: `127.0.0.1:${otlpPort}`, insecure: true, batch: { delay_ms } },
      },
    },
  };
}

/** Waits until something is so; what it waits for must come. */
export async function eventually(what: string, isSo: () => Promise<boolean> | boolean, withinMs = 10_000) {
  for (const deadline = Date.now() + withinMs; !(await isSo()); await sleep(10))
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
}
