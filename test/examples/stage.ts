import { type Client, startClient } from "../../examples/opentelemetry/dummy_client.ts";
import { readSettings, startVllmServer, type VllmServer } from "../../examples/opentelemetry/vllm_server.ts";
import {
  type OtlpReceiver,
  type ReceivedBatch,
  startOtlpReceiver,
} from "../../scripts/demo/otlp-receiver.ts";
import { startEnvoy, type TestEnvoy } from "../support/envoy.ts";
import { type Product, startProduct } from "../support/product.ts";

export type Protocol = ReceivedBatch["protocol"];
export const protocols: readonly Protocol[] = ["grpc", "http/protobuf"];

export const SMALL = "facebook/opt-125m";
export const OTHER = "example/chat-1b";
/** Served by a server of its own that takes half a second between two words. */
export const SLOW = "example/slow";

/** Client, Envoy, router and two servers like vLLM; every span goes to one receiver. */
export interface Stage {
  readonly receiver: OtlpReceiver;
  readonly vllm: VllmServer;
  readonly slow: VllmServer;
  readonly product: Product;
  readonly envoy: TestEnvoy;
  readonly client: Client;
  readonly url: string;
  stop(): Promise<void>;
}

export type StageOptions = {
  /** Of every sender; default `grpc`. */
  readonly protocol?: Protocol;
  /** The router's tracing; default on. */
  readonly tracing?: boolean;
  /** The router's cache; default off. */
  readonly cache?: boolean;
  /** What tells the router where spans go: its file, the default, or the variables that tell the others. */
  readonly told?: "file" | "variables";
};

/** The variables of the POC, with a short delay so that tests need not wait five seconds. */
export function variables(protocol: Protocol, receiver: OtlpReceiver): Record<string, string> {
  const endpoint =
    protocol === "grpc"
      ? `grpc://127.0.0.1:${receiver.port}`
      : `http://127.0.0.1:${receiver.httpPort}/v1/traces`;
  return {
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_TRACES_INSECURE: "true",
    OTEL_BSP_SCHEDULE_DELAY: "50",
  };
}

export async function startStage(options: StageOptions = {}): Promise<Stage> {
  const stops: (() => Promise<unknown>)[] = [];
  const started = <T extends { stop(): Promise<unknown> }>(part: T): T => {
    stops.unshift(() => part.stop());
    return part;
  };
  const stop = async (): Promise<void> => {
    for (const one of stops) await one();
  };
  try {
    const receiver = started(await startOtlpReceiver());
    const env = variables(options.protocol ?? "grpc", receiver);
    const serve = (...args: string[]) =>
      startVllmServer(
        readSettings(
          ["--port", "0", "--otlp-traces-endpoint", env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT!, ...args],
          { ...env, OTEL_SERVICE_NAME: "vllm-server" },
        ),
      );
    const vllm = started(await serve("--served-model-name", SMALL, "--served-model-name", OTHER));
    const slow = started(await serve(SLOW, "--token-ms", "500"));
    const endpoints = [
      { name: "vllm", address: "127.0.0.1", port: vllm.port },
      { name: "slow", address: "127.0.0.1", port: slow.port },
    ];
    const yaml = configuration(endpoints, receiver, options);
    const product = started(await startProduct(yaml, options.told === "variables" ? env : {}));
    const envoy = started(
      await startEnvoy({ endpoints, processor: { address: "127.0.0.1", port: product.port } }),
    );
    const client = started(startClient(env));
    return { receiver, vllm, slow, product, envoy, client, url: `http://127.0.0.1:${envoy.port}`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function configuration(endpoints: readonly object[], receiver: OtlpReceiver, options: StageOptions): string {
  const { protocol = "grpc", tracing = true, cache = false, told = "file" } = options;
  const model = (endpoint: string) => ({
    preferred_endpoints: [endpoint],
    pii_policy: {
      allow_by_default: false,
      pii_types_allowed: ["GPE", "PERSON", "ORGANIZATION", "DATE_TIME", "NRP", "TITLE", "AGE"],
    },
  });
  const scores = (name: string) => [{ model: name, score: 0.9, use_reasoning: false }];
  const exporter =
    protocol === "grpc"
      ? { endpoint: `127.0.0.1:${receiver.port}`, insecure: true }
      : { endpoint: `http://127.0.0.1:${receiver.httpPort}/v1/traces`, protocol };
  return JSON.stringify({
    vllm_endpoints: endpoints,
    model_config: { [SMALL]: model("vllm"), [OTHER]: model("vllm"), [SLOW]: model("slow") },
    default_model: SMALL,
    categories: [
      { name: "math", system_prompt: "You are exact.", model_scores: scores(OTHER) },
      { name: "other", model_scores: scores(SMALL) },
    ],
    classifier: { category_model: { threshold: 0.5 }, pii_model: {} },
    prompt_guard: { enabled: true },
    semantic_cache: { enabled: cache, similarity_threshold: 0.97 },
    // Two shared cores and hundreds of requests at once; how fast it is, is not the question here.
    inference: { deadline_ms: 30_000 },
    observability: { tracing: { enabled: tracing, ...(told === "file" && { exporter }) } },
  });
}
