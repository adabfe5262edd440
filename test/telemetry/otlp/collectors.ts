import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerOptions,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { Reader } from "../../../src/protobuf/wire.ts";
import { otlpExporter } from "../../../src/telemetry/otlp/exporter.ts";
import type { OtlpSettings } from "../../../src/telemetry/settings.ts";
import { randomHex, Trace } from "../../../src/telemetry/trace.ts";
import type { Exported, Origin, TraceExporter } from "../../../src/telemetry/trace-exporter.ts";

export const certificate = (name: string): string => join(import.meta.dirname, "../../support/certs", name);
const pem = (name: string): Buffer => readFileSync(certificate(name));

/** The server's side of TLS; `mutual` asks for a client certificate that ca.pem signed. */
export interface Tls {
  readonly mutual?: boolean;
}

/** What a request carried. */
export interface Seen {
  readonly spans: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: number;
}

export interface Collector extends AsyncDisposable {
  readonly port: number;
  readonly seen: readonly Seen[];
  /** Requests under way at once, at most. */
  readonly most: number;
}

/** `details` is `grpc-status-details-bin`, `answer` an ExportTraceServiceResponse. */
export interface GrpcAnswer {
  readonly code?: number;
  readonly text?: string;
  readonly details?: Buffer;
  readonly answer?: Buffer;
  readonly afterMs?: number;
}

export interface HttpAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly afterMs?: number;
}

const bytes = (value: Buffer): Buffer => value;
const method: MethodDefinition<Buffer, Buffer> = {
  path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};

/** A gRPC server that answers each request, counted from 1, as told. */
export async function grpcCollector(
  answer: (request: number, seen: Seen) => GrpcAnswer | "never" = () => ({}),
  { tls, port = 0, options = {} }: { tls?: Tls; port?: number; options?: ServerOptions } = {},
): Promise<Collector> {
  const seen: Seen[] = [];
  const load = gauge();
  const server = new Server(options);
  const timers = new Set<NodeJS.Timeout>();
  server.addService(
    { Export: method },
    {
      Export(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
        const headers = call.metadata.toHttp2Headers() as Record<string, string>;
        const one = { spans: spansIn(call.request), headers, bytes: call.request.length };
        const told = answer(seen.push(one), one);
        load.up();
        if (told === "never") return;
        const finish = () => {
          load.down();
          const { code = 0, text = "", details, answer: message = Buffer.alloc(0) } = told;
          const metadata = new Metadata();
          if (details) metadata.set("grpc-status-details-bin", details);
          if (code === 0) done(null, message);
          else done({ code, details: text, metadata });
        };
        if (told.afterMs === undefined) finish();
        else timers.add(setTimeout(finish, told.afterMs));
      },
    },
  );
  const credentials = tls
    ? ServerCredentials.createSsl(
        pem("ca.pem"),
        [{ private_key: pem("server-key.pem"), cert_chain: pem("server.pem") }],
        tls.mutual === true,
      )
    : ServerCredentials.createInsecure();
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, actual) =>
      error ? reject(error) : resolve(actual),
    ),
  );
  return {
    port: bound,
    seen,
    get most() {
      return load.most;
    },
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearTimeout(timer);
      server.forceShutdown();
    },
  };
}

/** An HTTP/1.1 server that answers each request, counted from 1, as told. */
export async function httpCollector(
  answer: (request: number, message: IncomingMessage) => HttpAnswer | "never" = () => ({}),
  { tls, port = 0 }: { tls?: Tls; port?: number } = {},
): Promise<Collector> {
  const seen: Seen[] = [];
  const load = gauge();
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const packed = Buffer.concat(parts);
    const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(packed) : packed;
    const headers = { ...flat(request.headers), ":path": request.url };
    const told = answer(seen.push({ spans: spansIn(body), headers, bytes: packed.length }), request);
    load.up();
    if (told === "never") return;
    if (told.afterMs !== undefined) await new Promise((resolve) => setTimeout(resolve, told.afterMs));
    load.down();
    const type = { "content-type": "application/x-protobuf" };
    response.writeHead(told.status ?? 200, { ...type, ...told.headers }).end(told.body ?? "");
  };
  const listener = (request: IncomingMessage, response: ServerResponse) =>
    void take(request, response).catch(() => response.destroy());
  const server = tls
    ? createTlsServer(
        {
          key: pem("server-key.pem"),
          cert: pem("server.pem"),
          ca: pem("ca.pem"),
          requestCert: tls.mutual === true,
        },
        listener,
      )
    : createServer(listener);
  const stop = await listen(server, port);
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    get most() {
      return load.most;
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** Listens on the loopback address; what comes back ends the server and all its connections. */
export async function listen(server: NetServer, port = 0): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  return async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
}

function gauge() {
  let now = 0;
  const load = {
    most: 0,
    up: () => {
      now += 1;
      load.most = Math.max(load.most, now);
    },
    down: () => {
      now -= 1;
    },
  };
  return load;
}

const flat = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

/** Spans of an ExportTraceServiceRequest. */
function spansIn(message: Buffer): number {
  const count = (reader: Reader, path: readonly number[]): number => {
    if (path.length === 0) return 1;
    let sum = 0;
    while (reader.more) {
      const tag = reader.varint();
      if (tag === path[0]! * 8 + 2) sum += count(reader.message(), path.slice(1));
      else reader.skip(tag % 8);
    }
    return sum;
  };
  // resource_spans, scope_spans, spans.
  return count(new Reader(message), [1, 2, 2]);
}

export const origin: Origin = {
  resource: { "service.name": "sr" },
  scope: { name: "semantic-router", version: "9.9" },
};

type Changes = { readonly [Key in keyof OtlpSettings]?: Partial<OtlpSettings[Key]> | OtlpSettings[Key] };

/** Settings whose waits suit a test. */
export const settingsFor = (url: string, changes: Changes = {}): OtlpSettings =>
  ({
    protocol: url.includes("/v1/traces") ? "http/protobuf" : "grpc",
    headers: {},
    headerFiles: {},
    tls: {},
    compression: "none",
    timeoutMs: 5000,
    ...changes,
    url,
    retry: { maxAttempts: 1, initialBackoffMs: 10, maxBackoffMs: 20, ...changes.retry },
    batch: { maxSpans: 512, delayMs: 1, timeoutMs: 10_000, ...changes.batch },
  }) as OtlpSettings;

/** An exporter that is ended with the test. */
export function exporterTo(url: string, changes: Changes = {}) {
  const exporter = otlpExporter(settingsFor(url, changes), origin);
  return Object.assign(exporter, { [Symbol.asyncDispose]: () => exporter.shutdown(0) });
}

/** Exports one exchange of so many spans; resolves with what became of it. */
export const exportSpans = (exporter: TraceExporter, spans: number): Promise<Exported> =>
  new Promise((resolve) => exporter.export([traceOf(spans)], resolve));

export function traceOf(spans: number): Trace {
  const trace = new Trace("root", { traceId: randomHex(16), flags: 1, state: "", propagates: true });
  for (let i = 1; i < spans; i += 1) trace.open(`stage ${i}`).set("key", "value").end();
  trace.root.end();
  return trace;
}

/** Each protocol with its own collector, for what both must do alike. */
export const protocols = {
  grpc: {
    collector: grpcCollector as (
      answer?: () => "never",
      options?: { tls?: Tls; port?: number },
    ) => Promise<Collector>,
    url: (port: number, scheme = "http") => `${scheme}://127.0.0.1:${port}`,
  },
  "http/protobuf": {
    collector: httpCollector as (
      answer?: () => "never",
      options?: { tls?: Tls; port?: number },
    ) => Promise<Collector>,
    url: (port: number, scheme = "http") => `${scheme}://127.0.0.1:${port}/v1/traces`,
  },
} as const;

export const bothProtocols = ["grpc", "http/protobuf"] as const;
