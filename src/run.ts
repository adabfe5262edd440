import pino from "pino";
import { memoryCache } from "./cache/memory.ts";
import type { Config } from "./config/schema.ts";
import { type Processor, serve } from "./extproc/server.ts";
import { EncodeError, type Encoder } from "./models/encode.ts";
import { startEncoder } from "./models/encoder.ts";
import { StageFault } from "./outcome.ts";
import { endpointHealth } from "./pipeline/endpoint-health.ts";
import { buildService, reads, routes } from "./router.ts";
import { otlpExporter } from "./telemetry/otlp-exporter.ts";
import { stdoutExporter } from "./telemetry/stdout-exporter.ts";
import { type Origin, type TraceExporter, viaSdk } from "./telemetry/trace-exporter.ts";
import { startTracing } from "./telemetry/tracing.ts";
import { version } from "./version.ts";

const drainMs = 20_000;
const flushMs = 5000;

/** Builds everything, serves until a signal comes, then takes it down in reverse. Rejects before it has bound a port. */
export async function run(
  config: Config,
  warnings: readonly string[],
  listen = config.server.listen,
): Promise<void> {
  // Standard error: spans may go to standard output, and the two must not mix.
  const log = pino({ level: config.logging.level, base: null }, pino.destination({ dest: 2, sync: true }));
  for (const warning of warnings) log.warn(warning);

  const { tracing: policy } = config.observability;
  const exporter = policy.enabled ? exporterOf(policy.exporter) : undefined;
  const tracing = startTracing(policy, version, exporter, (message) => log.warn(message));
  const routing = routes(config);
  if (!routing) log.warn("the configuration names no models and no guards: every request is passed through");
  const encoder = routing
    ? await (reads(config) ? startEncoder(encoderOptions(config)) : noEncoder)
    : undefined;
  const cache = config.semantic_cache.enabled ? memoryCache(cacheOptions(config)) : undefined;
  const service = buildService(config, encoder && { encoder, cache, health: endpointHealth() }, 1);

  const processor = await serve(
    listen,
    {
      current: () => service,
      fault: (error) => {
        if (error instanceof StageFault)
          log.warn({ stage: error.stage, reason: error.reason }, "a guard could not work");
        else log.error({ err: withoutContent(error) }, "an exchange failed");
      },
    },
    tracing,
  );
  log.info({ address: listen, port: processor.port, version, models: encoder?.fingerprint }, "ready");

  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    // A second SIGTERM changes nothing; a second Ctrl-C ends the process at once.
    process.on("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
  log.info({ signal, active: processor.active }, "stopping");
  await stop(processor, encoder);
  await cache?.close();
  await tracing.shutdown(flushMs);
  log.info({ spans: tracing.health }, "stopped");
}

async function stop(processor: Processor, encoder: Encoder | undefined): Promise<void> {
  await processor.stop(drainMs);
  await encoder?.close();
}

/** Stands where nothing asks for an encoding; its threads and its memory are saved. */
const noEncoder: Encoder = {
  encode: () => Promise.reject(new EncodeError("closed", "this configuration started no encoder")),
  labels: [],
  dims: 0,
  fingerprint: "none",
  close: async () => {},
};

const exporterOf =
  (policy: Config["observability"]["tracing"]["exporter"]) =>
  (origin: Origin): TraceExporter =>
    policy.type === "stdout" ? viaSdk(stdoutExporter(), origin) : otlpExporter(policy, origin);

const encoderOptions = ({ inference }: Config) => ({
  ...(inference.model_path !== undefined && { path: inference.model_path }),
  workers: inference.workers,
  deadlineMs: inference.deadline_ms,
  queueLimit: inference.queue_limit,
});

const cacheOptions = ({ semantic_cache }: Config) => ({
  maxEntries: semantic_cache.max_entries,
  ttlSeconds: semantic_cache.ttl_seconds,
  eviction: semantic_cache.eviction_policy,
});

/** The message of an unforeseen error may quote what it failed on; its name and place do not. */
function withoutContent(error: unknown): { name: string; at: string | undefined } {
  if (!(error instanceof Error)) return { name: typeof error, at: undefined };
  const at = error.stack?.split("\n").find((line) => /^\s+at /.test(line));
  return { name: error.name, at: at?.trim().replace(/file:\/\/.*\/(src|dist)\//, "$1/") };
}
