import { join } from "node:path";
import {
  type GrpcObject,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceClientConstructor,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { listenOtlpHttp } from "./otlp-http.ts";
import { type ReceivedSpan, receivedSpans, type WireExport } from "./otlp-wire.ts";

export type { ReceivedSpan } from "./otlp-wire.ts";

/** What came in one request, and how. */
export type ReceivedBatch = {
  readonly protocol: "grpc" | "http/protobuf";
  readonly spans: readonly ReceivedSpan[];
};

export type OtlpReceiver = AsyncDisposable & {
  /** Speaks gRPC. */
  readonly port: number;
  /** Speaks http/protobuf, at `/v1/traces`. */
  readonly httpPort: number;
  /** Every span so far, in the order of arrival. */
  readonly spans: readonly ReceivedSpan[];
  /** The same by request. */
  readonly batches: readonly ReceivedBatch[];
  /**
   * The spans of one trace as soon as they satisfy `whole`; rejects after `withinMs`, naming what did arrive. Without
   * a condition: as soon as its root is there, a server's span whose parent is not among them.
   */
  waitFor(
    traceId: string,
    whole?: (spans: readonly ReceivedSpan[]) => boolean,
    withinMs?: number,
  ): Promise<ReceivedSpan[]>;
  /** The first span that satisfies the condition, now or within the time. */
  waitForSpan(condition: (span: ReceivedSpan) => boolean, withinMs?: number): Promise<ReceivedSpan>;
  stop(): Promise<void>;
};

export type OtlpReceiverOptions = {
  /** For gRPC; 0, the default, takes any free port. */
  readonly port?: number;
  /** For http/protobuf; 0, the default, takes any free port. */
  readonly httpPort?: number;
  readonly host?: string;
};

const METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** A real OTLP collector that keeps in memory what it gets, over gRPC and http/protobuf, gzip included. */
export async function startOtlpReceiver({
  port = 0,
  httpPort = 0,
  host = "127.0.0.1",
}: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const batches: ReceivedBatch[] = [];
  const listeners = new Set<() => void>();

  const take = (protocol: ReceivedBatch["protocol"], message: WireExport): void => {
    const batch = receivedSpans(message);
    batches.push({ protocol, spans: batch });
    spans.push(...batch);
    for (const listener of [...listeners]) listener();
  };

  const service = traceService();
  const server = new Server({ "grpc.max_receive_message_length": -1 });
  server.addService(service, {
    Export(call: ServerUnaryCall<WireExport, object>, answer: sendUnaryData<object>) {
      answer(null, {});
      take("grpc", call.request);
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, actual) =>
      error ? reject(error) : resolve(actual),
    );
  });
  const decode = service.Export!.requestDeserialize;
  const http = await listenOtlpHttp(httpPort, host, (bytes) =>
    take("http/protobuf", decode(bytes) as WireExport),
  ).catch((error: unknown) => {
    server.forceShutdown();
    throw error;
  });

  const eventually = <T>(look: () => T | undefined, withinMs: number, complaint: () => string): Promise<T> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const value = look();
        if (value === undefined) return;
        settle();
        resolve(value);
      };
      const timer = setTimeout(() => {
        settle();
        reject(new Error(complaint()));
      }, withinMs);
      const settle = (): void => {
        clearTimeout(timer);
        listeners.delete(check);
      };
      listeners.add(check);
      check();
    });
  const stop = async (): Promise<void> => {
    http.stop();
    server.forceShutdown();
  };

  return {
    port: bound,
    httpPort: http.port,
    spans,
    batches,
    waitFor(traceId, whole = hasRoot, withinMs = 5_000) {
      const ofTrace = () => spans.filter((span) => span.traceId === traceId);
      const look = () => (whole(ofTrace()) ? ofTrace() : undefined);
      const names = () => ofTrace().map(({ name }) => name);
      return eventually(
        look,
        withinMs,
        () => `trace ${traceId} is not whole after ${withinMs} ms: [${names().join(", ")}]`,
      );
    },
    waitForSpan(condition, withinMs = 5_000) {
      const complaint = () => `no such span after ${withinMs} ms, among ${spans.length}`;
      return eventually(() => spans.find(condition), withinMs, complaint);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The root is exported last, or together with the others; above it stands a client's span or none. */
function hasRoot(spans: readonly ReceivedSpan[]): boolean {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.some(({ kind, parentSpanId }) => kind === "SERVER" && !ids.has(parentSpanId));
}

function traceService(): ServiceClientConstructor["service"] {
  const file = join(import.meta.dirname, "otlp.proto");
  const loaded = loadPackageDefinition(
    loadSync(file, { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true }),
  );
  const [folders = "", method] = METHOD.slice(1).split("/");
  const service = folders
    .split(".")
    .reduce<GrpcObject[string]>((at, name) => (at as GrpcObject)[name]!, loaded) as ServiceClientConstructor;
  if (!service.service[method!]) throw new Error(`${file} lacks ${METHOD}`);
  return service.service;
}
