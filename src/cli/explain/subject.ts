import { isDeepStrictEqual } from "node:util";
import { type Loaded, loadConfig } from "../../config/load.ts";
import { type OwnModelSetting, ownModelSettings } from "../../config/own-models.ts";
import { encoderOptions, noEncoder } from "../../encoders.ts";
import type { Service } from "../../extproc/service.ts";
import type { Encoder } from "../../models/encode.ts";
import { startEncoder } from "../../models/encoder.ts";
import { strayLabels } from "../../pipeline/classification.ts";
import { endpointHealth } from "../../pipeline/endpoint-health.ts";
import { buildService, reads, routes } from "../../router.ts";
import { resolveTracing } from "../../telemetry/settings/resolve.ts";
import { startTracing } from "../../telemetry/tracing.ts";
import { version } from "../../version.ts";
import { sharingPasses } from "./passes.ts";

/** A configuration with a router of its own that serves nobody: no cache, no traces, and all endpoints in service. */
export interface Subject {
  readonly loaded: Loaded;
  readonly service: Service;
  readonly encoder: Encoder;
  /** Whether the router that serves it hands its traces on to the model servers. */
  readonly traced: boolean;
  /** What its author should know of the models; one line each. */
  readonly warnings: readonly string[];
}

export interface Subjects {
  /** One for each file, in their order. */
  readonly subjects: readonly Subject[];
  close(): Promise<void>;
}

interface Asked {
  readonly loaded: Loaded;
  readonly models: { readonly path: string | undefined; readonly own: readonly OwnModelSetting[] };
  readonly needed: boolean;
}

// Nobody waits behind these requests, and what they are told must not depend on how fast this machine is.
const patient = { deadlineMs: 86_400_000, maxDeadlineMs: 86_400_000, queueLimit: 100_000 };

/**
 * Reads the files and starts what they ask for. Files that name the same models share them.
 * Rejects with a ConfigError for a file that is wrong, with an Error for a model that cannot be loaded.
 * @param workers threads for each set of models.
 */
export async function startSubjects(files: readonly string[], workers: number): Promise<Subjects> {
  const asked = files.map((file) => askedBy(loadConfig(file)));
  const started: { readonly models: Asked["models"]; readonly encoder: Encoder }[] = [];
  const close = async () => {
    await Promise.all(started.map(({ encoder }) => encoder.close()));
  };
  try {
    const subjects: Subject[] = [];
    for (const { loaded, models, needed } of asked) {
      let encoder = needed
        ? started.find((one) => isDeepStrictEqual(one.models, models))?.encoder
        : noEncoder;
      if (!encoder) {
        const options = encoderOptions(loaded.config, models.own);
        encoder = sharingPasses(await startEncoder({ ...options, ...patient, workers }));
        started.push({ models, encoder });
      }
      subjects.push(subjectOf(loaded, encoder));
    }
    return { subjects, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function askedBy(loaded: Loaded): Asked {
  const { config, source } = loaded;
  // Only the cache asks for embeddings.
  const own = ownModelSettings(config, source.file).filter(({ task }) => task !== "embedding");
  return {
    loaded,
    models: { path: config.inference.model_path, own },
    needed: routes(config) && reads(config),
  };
}

/** A router for this configuration, with an encoder that was started for it. */
export function subjectOf(loaded: Loaded, encoder: Encoder): Subject {
  const { config, written } = loaded;
  const { settings } = resolveTracing(config.observability.tracing, written, process.env);
  const ports = routes(config) ? { encoder, cache: undefined, health: endpointHealth() } : undefined;
  const stray = encoder.own?.has("category") ? strayLabels(encoder.labels, config.categories) : undefined;
  return {
    loaded,
    service: buildService(config, ports, startTracing(settings, version, undefined), 1),
    encoder,
    traced: settings.enabled,
    warnings: stray ? [stray] : [],
  };
}
