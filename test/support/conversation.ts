import { setTimeout as sleep } from "node:timers/promises";
import type { ExportResult } from "@opentelemetry/core";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";
import { memoryCache } from "../../src/cache/memory.ts";
import { parseConfig } from "../../src/config/load.ts";
import { converse } from "../../src/extproc/conversation.ts";
import { decode } from "../../src/extproc/decode.ts";
import { Dialogue } from "../../src/extproc/dialogue.ts";
import { encode } from "../../src/extproc/encode.ts";
import { joinEndings } from "../../src/extproc/endings.ts";
import { serve } from "../../src/extproc/server.ts";
import type { Serving } from "../../src/extproc/service.ts";
import type { Encoder } from "../../src/models/encode.ts";
import { endpointHealth } from "../../src/pipeline/endpoint-health.ts";
import { buildService, routes } from "../../src/router.ts";
import { finishing } from "../../src/telemetry/finishing.ts";
import { viaSdk } from "../../src/telemetry/trace-exporter.ts";
import { startTracing } from "../../src/telemetry/tracing.ts";
import { readTraceContext } from "../../src/telemetry/w3c.ts";
import { openStream, oracle } from "./ext-proc.ts";
import { fakeEncoder } from "./fake-encoder.ts";
import { settings } from "./tracing.ts";

type Plain = Record<string, unknown>;
export type Transport = "in memory" | "over gRPC";
export const transports: readonly Transport[] = ["in memory", "over gRPC"];

export interface Played {
  /** One answer for each message sent, as the oracle reads it; fewer where the stream ended. Before it the asking for time. */
  readonly answers: Plain[];
  readonly spans: readonly ReadableSpan[];
  /** gRPC status code of the stream; 0 where there is no gRPC. */
  readonly code: number;
}

export interface Router {
  readonly faults: unknown[];
  readonly encoder: Encoder & { readonly calls: string[][] };
  /**
   * Plays one exchange: each message is sent when the one before it was answered. `hangUp`: what Envoy does after the
   * last: end the stream, or, without waiting for the last answer, cut it.
   */
  play(
    messages: readonly object[],
    options?: { metadata?: Record<string, string>; hangUp?: "end" | "cut" },
  ): Promise<Played>;
  stop(): Promise<void>;
}

/** The router in this process, with a fake encoder, spoken to in memory or over a real gRPC connection. */
export async function startRouter(yaml: string, transport: Transport): Promise<Router> {
  const { config } = parseConfig(yaml);
  const encoder = fakeEncoder();
  const spans: ReadableSpan[] = [];
  const exporter: SpanExporter = {
    export(batch: ReadableSpan[], done: (result: ExportResult) => void) {
      spans.push(...batch);
      done({ code: 0 });
    },
    shutdown: async () => {},
  };
  const { tracing: policy } = config.observability;
  const tracing = startTracing(
    settings({ sampling: policy.sampling }),
    "test",
    policy.enabled ? (origin) => viaSdk(exporter, origin) : undefined,
    { finishing: finishing(policy) },
  );
  const cache = config.semantic_cache.enabled
    ? memoryCache({ maxEntries: 100, ttlSeconds: 60, eviction: "fifo" })
    : undefined;
  const ports = routes(config) ? { encoder, cache, health: endpointHealth() } : undefined;
  const service = buildService(config, ports, tracing, 1);
  const faults: unknown[] = [];
  const endings = joinEndings(() => 0);
  const serving: Serving = {
    enter: () => service,
    leave: () => {},
    endings,
    fault: (error) => faults.push(error),
  };
  const processor = transport === "over gRPC" ? await serve("127.0.0.1:0", serving) : undefined;

  return {
    faults,
    encoder,
    async play(messages, { metadata = {}, hangUp = "end" } = {}) {
      const before = spans.length;
      const played = processor
        ? await overGrpc(processor.port, messages, metadata, hangUp)
        : await inMemory(messages, metadata, hangUp);
      const deadline = Date.now() + 3000;
      while (policy.enabled && spans.length === before && Date.now() < deadline) {
        await tracing.shutdown(0);
        await sleep(2);
      }
      return { ...played, spans: spans.slice(before) };
    },
    async stop() {
      await processor?.stop(100);
      await cache?.close();
    },
  };

  async function inMemory(
    messages: readonly object[],
    metadata: Record<string, string>,
    hangUp: "end" | "cut",
  ) {
    const answers: Plain[] = [];
    const waiting = [...messages];
    const envoy = new Dialogue((answer) => {
      const said: Plain = oracle.responseDeserialize(encode(answer));
      answers.push(said);
      if (said.response) queueMicrotask(send);
    });
    const context = metadata.traceparent ? readTraceContext([metadata.traceparent], []) : undefined;
    const send = () => {
      const next = waiting.shift();
      if (next) envoy.heard(decode(oracle.requestSerialize(next)));
      if (waiting.length === 0 && (hangUp === "cut" || !next)) setTimeout(() => envoy.end(), 5);
    };
    send();
    await converse(envoy, serving, () => context);
    return { answers, code: 0 };
  }
}

async function overGrpc(
  port: number,
  messages: readonly object[],
  metadata: Record<string, string>,
  hangUp: "end" | "cut",
) {
  const stream = openStream(port, metadata);
  const answers: Plain[] = [];
  const waiting = [...messages];
  const status = new Promise<number>((resolve) => {
    stream.on("status", ({ code }: { code: number }) => resolve(code));
    stream.on("error", () => {});
  });
  const send = () => {
    const next = waiting.shift();
    if (next) stream.write(next);
    else if (hangUp === "end") stream.end();
    if (waiting.length === 0 && hangUp === "cut") setTimeout(() => stream.cancel(), 30);
  };
  stream.on("data", (answer: Plain) => {
    answers.push(answer);
    if (answer.response) send();
  });
  send();
  return { answers, code: await status };
}

/** The span tree as text: children under the root in the order of their start, with the attributes asked for. */
export function tree(spans: readonly ReadableSpan[], attributes: readonly string[] = []): string[] {
  const [root, ...rest] = [...spans].sort(
    (a, b) =>
      Number(a.parentSpanContext !== undefined && !a.parentSpanContext.isRemote) -
      Number(b.parentSpanContext !== undefined && !b.parentSpanContext.isRemote),
  );
  if (!root) return [];
  const line = (span: ReadableSpan, indent: string) =>
    [
      `${indent}${span.name.replace("semantic_router.", "")}`,
      ...attributes
        .filter((key) => span.attributes[key] !== undefined)
        .map((key) => `${key}=${span.attributes[key]}`),
      ...(span.status.code === 2 ? [`ERROR(${span.status.message})`] : []),
    ].join(" ");
  return [line(root, ""), ...rest.map((span) => line(span, "  "))];
}
