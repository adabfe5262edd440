import { isDeepStrictEqual } from "node:util";
import type { SemanticCache } from "./cache/cache.ts";
import { memoryCache } from "./cache/memory.ts";
import type { Loaded } from "./config/load.ts";
import { ownModelSettings } from "./config/own-models.ts";
import type { Config } from "./config/schema.ts";
import { limitsOf, modelsOf, noEncoder } from "./encoders.ts";
import type { Service } from "./extproc/service.ts";
import type { Encoder } from "./models/encode.ts";
import { type ModelEncoder, startEncoder } from "./models/encoder.ts";
import { strayLabels } from "./pipeline/classification.ts";
import type { EndpointHealth } from "./pipeline/endpoint-health.ts";
import { buildService, reads, routes } from "./router.ts";
import { selfTest } from "./self-test.ts";
import { finishing } from "./telemetry/finishing.ts";
import type { Ledger } from "./telemetry/ledger.ts";
import { otlpExporter } from "./telemetry/otlp/exporter.ts";
import { resolveTracing } from "./telemetry/settings/resolve.ts";
import type { EffectiveValue } from "./telemetry/settings.ts";
import { stdoutExporter } from "./telemetry/stdout-exporter.ts";
import { startTracing, type Tracing } from "./telemetry/tracing.ts";
import { version } from "./version.ts";

/** The models in their threads, and what they were started with. */
interface Models {
  readonly asked: object;
  readonly encoder: ModelEncoder;
}

/** All that was built from one configuration. What is as the one before had it is taken over from there. */
export interface Generation {
  readonly loaded: Loaded;
  readonly service: Service;
  /** Kept also while nothing asks for them: what is switched off may be switched on again. */
  readonly models: Models | undefined;
  /** What the service asks; undefined where everything is passed through. */
  readonly encoder: Encoder | undefined;
  readonly cache: { readonly asked: object; readonly store: SemanticCache } | undefined;
  readonly tracing: { readonly asked: object; readonly tracing: Tracing };
  readonly effective: readonly EffectiveValue[];
}

/** What outlives every generation. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly health: EndpointHealth;
  readonly ledger: Ledger;
  tell(level: "warn" | "info", message: string, about?: object): void;
}

/** Rejects with an Error that says what is wrong, and leaves nothing of its own behind. */
export async function buildGeneration(
  loaded: Loaded,
  before: Generation | undefined,
  number: number,
  { env, health, ledger, tell }: Surroundings,
): Promise<Generation> {
  const { config, written, source } = loaded;
  const own = ownModelSettings(config, source.file);
  const needed = routes(config) && reads(config);
  const asked = modelsOf(config, own);
  const kept = before?.models;
  const models =
    !needed || (kept && isDeepStrictEqual(kept.asked, asked))
      ? kept
      : { asked, encoder: await startEncoder({ ...asked, warn: (text) => tell("warn", text) }) };
  const encoder = routes(config)
    ? needed && models
      ? models.encoder.within(limitsOf(config))
      : noEncoder
    : undefined;
  try {
    if (encoder && own.some(({ task }) => task === "category")) {
      const stray = strayLabels(encoder.labels, config.categories);
      if (stray) tell("warn", stray);
    }
    if (encoder) await selfTest(config, encoder);
  } catch (error) {
    if (models !== kept) await models?.encoder.close();
    throw error;
  }
  const resolved = resolveTracing(config.observability.tracing, written, env);
  for (const warning of resolved.warnings) tell("warn", warning);
  const tracing = tracingFor(config, resolved.settings, before, ledger);
  const cache = cacheFor(config, encoder, before);
  const ports = encoder && { encoder, cache: cache?.store, health };
  return {
    loaded,
    service: buildService(config, ports, tracing.tracing, number),
    models,
    encoder,
    cache,
    tracing,
    effective: resolved.effective,
  };
}

function tracingFor(
  { observability }: Config,
  settings: ReturnType<typeof resolveTracing>["settings"],
  before: Generation | undefined,
  ledger: Ledger,
): Generation["tracing"] {
  const asked = { settings, policy: observability.tracing };
  if (before && isDeepStrictEqual(before.tracing.asked, asked)) return before.tracing;
  const { otlp } = settings;
  const exporter: Parameters<typeof startTracing>[2] = settings.enabled
    ? (origin) => (otlp ? otlpExporter(otlp, origin) : stdoutExporter(origin))
    : undefined;
  const finish = finishing(observability.tracing);
  return { asked, tracing: startTracing(settings, version, exporter, { ledger, finishing: finish }) };
}

/** A cache whose size or lifetime changed starts empty, and so does one for other models: their vectors are not alike. */
function cacheFor({ semantic_cache }: Config, encoder: Encoder | undefined, before: Generation | undefined) {
  if (!semantic_cache.enabled) return undefined;
  const options = {
    maxEntries: semantic_cache.max_entries,
    ttlSeconds: semantic_cache.ttl_seconds,
    eviction: semantic_cache.eviction_policy,
  };
  const asked = { ...options, fingerprint: encoder?.fingerprint };
  const kept = before?.cache;
  return kept && isDeepStrictEqual(kept.asked, asked) ? kept : { asked, store: memoryCache(options) };
}
