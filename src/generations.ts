import { isDeepStrictEqual } from "node:util";
import { memoryCache } from "./cache/memory.ts";
import type { Loaded } from "./config/load.ts";
import { type OwnModelSetting, ownModelSettings } from "./config/own-models.ts";
import type { Config } from "./config/schema.ts";
import type { Service } from "./extproc/service.ts";
import { EncodeError, type Encoder } from "./models/encode.ts";
import { startEncoder } from "./models/encoder.ts";
import { patienceOf } from "./models/patience.ts";
import { strayLabels } from "./pipeline/classification.ts";
import { type EndpointHealth, endpointHealth } from "./pipeline/endpoint-health.ts";
import { buildService, reads, routes } from "./router.ts";
import { finishing } from "./telemetry/finishing.ts";
import { exportLedger } from "./telemetry/ledger.ts";
import { otlpExporter } from "./telemetry/otlp/exporter.ts";
import { resolveTracing } from "./telemetry/settings/resolve.ts";
import type { EffectiveValue } from "./telemetry/settings.ts";
import { stdoutExporter } from "./telemetry/stdout-exporter.ts";
import { startTracing, type Tracing } from "./telemetry/tracing.ts";
import { version } from "./version.ts";

/** The configuration in force, and those before it that still serve an exchange. */
export interface Generations {
  current(): Service;
  readonly config: Config;
  readonly encoder: Encoder | undefined;
  readonly exported: Tracing["health"];
  /**
   * Builds the next generation from a checked file and puts it in force; exchanges under way keep theirs. Rejects with
   * an Error that names the key, and changes nothing, where the file asks for what needs a restart.
   */
  replace(next: Loaded): Promise<readonly EffectiveValue[]>;
  /** Ends tracing, every generation's, within `deadlineMs`, and then all else. */
  close(deadlineMs: number): Promise<void>;
}

/** For the last batch of a tracing whose successor cannot take it over. */
const retireMs = 30_000;
/** After the deadline, for what was lost by then to be counted. */
const settleMs = 250;

type Tell = (level: "warn" | "info", message: string, about?: object) => void;

interface Parts {
  readonly config: Config;
  readonly own: readonly OwnModelSetting[];
  readonly encoder: Encoder | undefined;
  /** The one that was started, also while nothing asks for it: what is switched off may be switched on again. */
  readonly started: Encoder | undefined;
  readonly cache: ReturnType<typeof memoryCache> | undefined;
  readonly tracing: Tracing;
  readonly traced: object;
}

export async function startGenerations(
  first: Loaded,
  env: NodeJS.ProcessEnv,
  tell: Tell,
): Promise<{ generations: Generations; effective: readonly EffectiveValue[] }> {
  const health: EndpointHealth = endpointHealth();
  const ledger = exportLedger((level, message) => tell(level, message, { spans: ledger.health }));
  const retiring = new Set<Promise<void>>();
  let number = 0;
  let effective: readonly EffectiveValue[] = [];
  let parts = await build(first, undefined);
  let service = serviceOf(parts);

  async function build({ config, written, source }: Loaded, before: Parts | undefined): Promise<Parts> {
    const needed = routes(config) && reads(config);
    const own = ownModelSettings(config, source.file);
    const started =
      before?.started ??
      (needed
        ? await startEncoder({ ...encoderOptions(config, own), warn: (text) => tell("warn", text) })
        : undefined);
    const encoder = routes(config) ? (needed && started) || noEncoder : undefined;
    const namesCategory = own.some(({ task }) => task === "category");
    const stray = encoder && namesCategory ? strayLabels(encoder.labels, config.categories) : undefined;
    if (stray) tell("warn", stray);
    const resolved = resolveTracing(config.observability.tracing, written, env);
    for (const warning of resolved.warnings) tell("warn", warning);
    effective = resolved.effective;
    const traced = { settings: resolved.settings, policy: config.observability.tracing };
    const { settings } = resolved;
    return {
      config,
      own,
      encoder,
      started,
      cache: cacheFor(config, before),
      traced,
      tracing:
        before && isDeepStrictEqual(before.traced, traced)
          ? before.tracing
          : startTracing(
              settings,
              version,
              settings.enabled
                ? (origin) => (settings.otlp ? otlpExporter(settings.otlp, origin) : stdoutExporter(origin))
                : undefined,
              { ledger, finishing: finishing(config.observability.tracing) },
            ),
    };
  }

  function serviceOf({ config, encoder, cache, tracing }: Parts): Service {
    number += 1;
    return buildService(config, encoder && { encoder, cache, health }, tracing, number);
  }

  function retire(tracing: Tracing, next: Tracing): void {
    const over = tracing.retire(next, retireMs).finally(() => retiring.delete(over));
    retiring.add(over);
  }

  const generations: Generations = {
    current: () => service,
    get config() {
      return parts.config;
    },
    get encoder() {
      return parts.encoder;
    },
    exported: ledger.health,
    async replace(next) {
      refuseWhatNeedsRestart(parts, next);
      const before = parts;
      parts = await build(next, before);
      service = serviceOf(parts);
      if (before.tracing !== parts.tracing) retire(before.tracing, parts.tracing);
      return effective;
    },
    async close(deadlineMs) {
      await parts.started?.close();
      await parts.cache?.close();
      let timer: NodeJS.Timeout | undefined;
      // Those that were retired have their own deadline; one that began late is not waited for in full.
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, deadlineMs + settleMs);
      });
      await Promise.race([Promise.all([parts.tracing.shutdown(deadlineMs), ...retiring]), late]);
      clearTimeout(timer);
      ledger.flush();
    },
  };
  return { generations, effective };
}

/** What is bound or loaded once, at the start. */
function refuseWhatNeedsRestart(before: Pick<Parts, "config" | "own">, { config, source }: Loaded): void {
  const own = ownModelSettings(config, source.file);
  const pairs: readonly (readonly [what: string, before: unknown, next: unknown])[] = [
    ["server.listen", before.config.server.listen, config.server.listen],
    ["inference", before.config.inference, config.inference],
    ...[...before.own, ...own].flatMap(({ key }) => {
      const [old, next] = [before.own, own].map((models) => models.find((model) => model.key === key));
      return [
        [key, old?.dir, next?.dir],
        [`the mapping file of ${key}`, old?.mappingPath, next?.mappingPath],
      ] as const;
    }),
  ];
  const changed = pairs.find(([, old, next]) => !isDeepStrictEqual(old, next));
  if (changed)
    throw new Error(
      `${changed[0]} changed, which needs a restart: the configuration in force stays as it is`,
    );
}

/** A cache whose size or lifetime changed starts empty. */
function cacheFor({ semantic_cache }: Config, before: Parts | undefined) {
  if (!semantic_cache.enabled) return undefined;
  const options = cacheOptions(semantic_cache);
  const same = before?.cache && isDeepStrictEqual(cacheOptions(before.config.semantic_cache), options);
  return same ? before.cache : memoryCache(options);
}

const cacheOptions = (cache: Config["semantic_cache"]) => ({
  maxEntries: cache.max_entries,
  ttlSeconds: cache.ttl_seconds,
  eviction: cache.eviction_policy,
});

/** Stands where nothing asks for an encoding; its threads and its memory are saved. */
const noEncoder: Encoder = {
  encode: () => Promise.reject(new EncodeError("closed", "this configuration started no encoder")),
  labels: [],
  dims: 0,
  fingerprint: "none",
  close: async () => {},
};

const encoderOptions = ({ inference }: Config, own: readonly OwnModelSetting[]) => ({
  ...(inference.model_path !== undefined && { path: inference.model_path }),
  own,
  workers: inference.workers,
  threads: inference.threads,
  ...patienceOf(inference),
  queueLimit: inference.queue_limit,
});
