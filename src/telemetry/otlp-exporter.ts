import { credentials } from "@grpc/grpc-js";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import type { SpanExporter } from "@opentelemetry/sdk-trace-base";
import type { Config } from "../config/schema.ts";

type ExporterPolicy = Config["observability"]["tracing"]["exporter"];

/**
 * OTLP over gRPC. The stock exporter takes an endpoint without a scheme for TLS and `grpc://` for unknown, so both
 * are turned into the form it does understand; `insecure` and the scheme decide about TLS.
 */
export function otlpExporter(policy: ExporterPolicy): SpanExporter {
  const { address, secure } = otlpTarget(policy);
  return new OTLPTraceExporter({
    url: `${secure ? "https" : "http"}://${address}`,
    credentials: secure ? credentials.createSsl() : credentials.createInsecure(),
  });
}

/** `host:port`, `http://`, `https://` and `grpc://` forms; a bare `host:port` is TLS unless `insecure`. */
export function otlpTarget(policy: Pick<ExporterPolicy, "endpoint" | "insecure">): {
  address: string;
  secure: boolean;
} {
  const [, scheme, address] = /^(?:(http|https|grpc):\/\/)?([^/]+)\/?$/.exec(policy.endpoint) ?? [];
  if (address === undefined) {
    throw new Error(
      `observability.tracing.exporter.endpoint: "${policy.endpoint}" is not of the form host:port, http://host:port, https://host:port or grpc://host:port`,
    );
  }
  if (scheme === "https" && policy.insecure) {
    throw new Error(
      "observability.tracing.exporter: insecure: true contradicts an https:// endpoint; drop one of them",
    );
  }
  return { address, secure: scheme === "https" || (scheme !== "http" && !policy.insecure) };
}
