import { lstatSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
} from "@grpc/grpc-js";
import { readTraceContext, type SpanContext } from "../telemetry/w3c.ts";
import { unbindable } from "../unbindable.ts";
import { accessLogService } from "./access-log.ts";
import { converse } from "./conversation.ts";
import { decode, type Message } from "./decode.ts";
import { Dialogue } from "./dialogue.ts";
import { type Answer, encode } from "./encode.ts";
import { names } from "./headers.ts";
import { type Health, healthService } from "./health.ts";
import type { Serving } from "./service.ts";

const externalProcessor: ServiceDefinition = {
  process: {
    path: "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
    requestStream: true,
    responseStream: true,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: decode,
    responseSerialize: encode,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
};

type Call = ServerDuplexStream<Message, Answer>;

export interface Processor {
  /** The address it listens on, as given; a port of 0 is replaced by the one the system chose. */
  readonly address: string;
  readonly port: number;
  /** Exchanges under way. */
  readonly active: number;
  readonly health: Health;
  /** Lets exchanges under way end, for at most `deadlineMs`, then cuts them. */
  stop(deadlineMs: number): Promise<void>;
}

export interface ServeOptions {
  /** Raise Node's limit of received resets; default true. Envoy's own cures must do without it, and a test shows that. */
  readonly raiseResetLimit?: boolean;
}

/**
 * Serves ext_proc, Envoy's access log and gRPC health.
 * @param listen `host:port` or `unix:/path`.
 * @throws Error naming the address and the remedy where it cannot be bound.
 */
export async function serve(
  listen: string,
  serving: Serving,
  { raiseResetLimit = true }: ServeOptions = {},
): Promise<Processor> {
  const server = new Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    // It counts every call and message, and nobody asks it.
    "grpc.enable_channelz": 0,
  });
  if (raiseResetLimit) raiseResets(server);
  const health = healthService();
  const active = new Map<Call, Dialogue>();
  let drained: (() => void) | undefined;
  server.addService(externalProcessor, {
    process: (call: Call) => {
      const envoy = new Dialogue((answer) => call.write(answer));
      active.set(call, envoy);
      void attend(call, envoy, serving).finally(() => {
        active.delete(call);
        if (active.size === 0) drained?.();
      });
    },
  });
  const log = accessLogService(serving.endings);
  server.addService(log.definition, log.implementation);
  server.addService(health.definition, health.implementation);
  const port = await bind(server, listen);
  health.set("SERVING");

  return {
    address: listen,
    port,
    get active() {
      return active.size;
    },
    health,
    async stop(deadlineMs) {
      health.set("NOT_SERVING");
      health.close();
      const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      const deadline = setTimeout(() => {
        for (const [call, envoy] of active) {
          envoy.cutBy = "shutdown";
          // Without channelz forceShutdown leaves running streams alone.
          call.emit("error", { code: status.UNAVAILABLE, details: "shutting down" });
        }
      }, deadlineMs);
      if (active.size > 0) {
        await new Promise<void>((resolve) => {
          drained = resolve;
        });
      }
      clearTimeout(deadline);
      // Envoy's last entries, then its log streams, which do not end by themselves.
      const { endings } = serving;
      for (let i = 0; i < lastEntriesMs / 10 && endings.counts.waiting > 0; i += 1) await sleep(10);
      endings.settleAll();
      log.close();
      await Promise.race([closed, sleep(lastEntriesMs)]);
      server.forceShutdown();
    },
  };
}

/** What Envoy's log may still say after the last exchange has ended. */
const lastEntriesMs = 500;

/** Runs one stream. */
async function attend(call: Call, envoy: Dialogue, serving: Serving): Promise<void> {
  call.on("data", (message: Message) => envoy.heard(message));
  // "end" comes with Envoy's half-close, "cancelled" after every stream, a clean one too; unheard, "error" would end us.
  const end = () => envoy.end();
  call.on("end", end).on("cancelled", end).on("error", end);
  try {
    await converse(envoy, serving, () => contextOf(call.metadata));
    call.end();
  } catch (error) {
    // Never a clean close: Envoy would carry on without us. An error makes it refuse the request.
    serving.fault(error, undefined);
    call.emit("error", { code: status.INTERNAL, details: "the processor failed on this exchange" });
  }
}

function contextOf(metadata: Metadata): SpanContext | undefined {
  const traceparents = metadata.get(names.traceparent);
  if (traceparents.length === 0) return undefined;
  return readTraceContext(traceparents.map(String), metadata.get(names.tracestate).map(String));
}

/**
 * By default Envoy ends each stream with a reset, and Node breaks a connection, with all its exchanges, after a
 * thousand resets. Node takes these limits since 22.11; grpc-js has no option that passes them on.
 */
function raiseResets(server: Server): void {
  const { commonServerOptions } = server as unknown as { commonServerOptions?: object };
  if (!commonServerOptions)
    throw new Error(
      "@grpc/grpc-js no longer has Server.commonServerOptions: the reset limit cannot be raised",
    );
  Object.assign(commonServerOptions, { streamResetBurst: 1_000_000_000, streamResetRate: 1_000_000_000 });
}

async function bind(server: Server, listen: string): Promise<number> {
  await removeStaleSocket(listen);
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, ServerCredentials.createInsecure(), (error, port) => {
      if (!error) resolve(port);
      else reject(unbindable(listen, "server.listen", error));
    });
  });
}

/** A process that was killed leaves its Unix socket behind. One that nobody answers on is in nobody's use. */
async function removeStaleSocket(listen: string): Promise<void> {
  const path = /^unix:(?:\/\/)?(\/.*)$/.exec(listen)?.[1];
  if (path === undefined) return;
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (!there) return;
  // A slip of the pen must not cost a file.
  if (!there.isSocket())
    throw new Error(
      `cannot listen on ${listen}: what is there is no socket; set server.listen to a path where nothing is`,
    );
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const probe = connect(path);
    probe
      .on("connect", () => probe.destroy())
      .on("close", () => resolve(undefined))
      .on("error", resolve);
  });
  if (error?.code === "ECONNREFUSED") rmSync(path, { force: true });
}
