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
import { type ReceivedSpan, receivedSpans, type WireExport } from "./otlp-wire.ts";

export type { ReceivedSpan } from "./otlp-wire.ts";

export type OtlpReceiver = AsyncDisposable & {
  readonly port: number;
  /** Every span so far, in the order of arrival. */
  readonly spans: readonly ReceivedSpan[];
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
  /** 0, the default, takes any free port. */
  readonly port?: number;
  readonly host?: string;
};

const METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** A real OTLP gRPC collector that keeps in memory what it gets. */
export async function startOtlpReceiver({
  port = 0,
  host = "127.0.0.1",
}: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const listeners = new Set<() => void>();

  const server = new Server({ "grpc.max_receive_message_length": -1 });
  server.addService(traceService(), {
    Export(call: ServerUnaryCall<WireExport, object>, answer: sendUnaryData<object>) {
      spans.push(...receivedSpans(call.request));
      answer(null, {});
      for (const listener of [...listeners]) listener();
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, actual) =>
      error ? reject(error) : resolve(actual),
    );
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
  const stop = async (): Promise<void> => server.forceShutdown();

  return {
    port: bound,
    spans,
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
