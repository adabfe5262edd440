import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as HttpExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
} from "@opentelemetry/sdk-trace-base";

export type Env = Readonly<Record<string, string | undefined>>;

export type Target = {
  readonly protocol: "grpc" | "http/protobuf";
  /** gRPC: scheme, host and port. http/protobuf: the whole URL, exactly as it was given. */
  readonly url: string;
};

const INSECURE = ["OTEL_EXPORTER_OTLP_TRACES_INSECURE", "OTEL_EXPORTER_OTLP_INSECURE"] as const;
const PROTOCOL = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";

/**
 * Where spans go, by the rules that vLLM and Python's exporters follow: only the traces variable names the protocol,
 * and over gRPC a scheme other than `http` means TLS unless a variable says `INSECURE`. Throws what is wrong.
 */
export function targetOf(endpoint: string, env: Env): Target {
  const protocol = env[PROTOCOL] || "grpc";
  if (protocol === "http/protobuf") {
    const url = endpoint || "http://localhost:4318/v1/traces";
    if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
      throw new Error(`${url} is no URL for ${protocol}: write http://HOST:4318/v1/traces, path included`);
    }
    return { protocol, url };
  }
  if (protocol !== "grpc") {
    throw new Error(`${PROTOCOL}=${protocol} is not known: write grpc or http/protobuf`);
  }
  const [, scheme, rest = ""] = /^(?:([a-z]+):\/\/)?(.*)$/i.exec(endpoint || "http://localhost:4317") ?? [];
  const authority = rest.split("/", 1)[0] ?? "";
  if (!/^(?:\[[\da-f:]+\]|[^\s:]+):\d+$/i.test(authority)) {
    throw new Error(
      `${endpoint} is no endpoint for gRPC: write HOST:4317, with http:// or grpc:// before it`,
    );
  }
  const insecure =
    INSECURE.map((name) => env[name])
      .find(Boolean)
      ?.toLowerCase() === "true";
  const plain = scheme === "http" || (scheme !== "https" && insecure);
  return { protocol, url: `${plain ? "http" : "https"}://${authority}` };
}

/** A parent-based, always-on provider that sends in batches. Everything but the endpoint comes from `env`. */
export function startProvider(endpoint: string, env: Env): BasicTracerProvider {
  const { protocol, url } = targetOf(endpoint, env);
  const exporter = protocol === "grpc" ? new GrpcExporter({ url }) : new HttpExporter({ url });
  const scheduledDelayMillis = Number(env.OTEL_BSP_SCHEDULE_DELAY || 5_000);
  return new BasicTracerProvider({
    resource: resourceFromAttributes(resourceOf(env)),
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis })],
  });
}

function resourceOf(env: Env): Record<string, string> {
  const pairs = (env.OTEL_RESOURCE_ATTRIBUTES ?? "").split(",").flatMap((pair) => {
    const at = pair.indexOf("=");
    return at > 0 ? [[pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())]] : [];
  });
  const attributes = Object.fromEntries(pairs) as Record<string, string>;
  const name = env.OTEL_SERVICE_NAME || attributes["service.name"] || "unknown_service";
  return { ...attributes, "service.name": name };
}
