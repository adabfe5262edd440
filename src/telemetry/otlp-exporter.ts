import { credentials } from "@grpc/grpc-js";
import {
  convertLegacyOtlpGrpcOptions,
  createOtlpGrpcExportDelegate,
} from "@opentelemetry/otlp-grpc-exporter-base";
import type { Config } from "../config/schema.ts";
import { encodeTraces } from "./otlp-encode.ts";
import type { Trace } from "./trace.ts";
import type { Origin, TraceExporter } from "./trace-exporter.ts";

type ExporterPolicy = Config["observability"]["tracing"]["exporter"];

/**
 * OTLP over gRPC: OpenTelemetry's own transport, with its time-outs, headers and compression, and our serialiser. The
 * transport takes an endpoint without a scheme for TLS and does not know `grpc://`, so both are turned into the form it
 * does understand; `insecure` and the scheme decide about TLS.
 */
export function otlpExporter(policy: ExporterPolicy, origin: Origin): TraceExporter {
  const { address, secure } = otlpTarget(policy);
  const options = convertLegacyOtlpGrpcOptions(
    {
      url: `${secure ? "https" : "http"}://${address}`,
      credentials: secure ? credentials.createSsl() : credentials.createInsecure(),
    },
    "TRACES",
  );
  const delegate = createOtlpGrpcExportDelegate<readonly Trace[], unknown>(
    options,
    { serializeRequest: (traces) => encodeTraces(traces, origin), deserializeResponse: () => ({}) },
    "otlp_grpc_span_exporter",
    { name: "span", countItems: spansIn },
    undefined,
    "TraceExportService",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  );
  return { export: (traces, done) => delegate.export(traces, done), shutdown: () => delegate.shutdown() };
}

export const spansIn = (traces: readonly Trace[]): number =>
  traces.reduce((sum, trace) => sum + 1 + trace.children.length, 0);

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
