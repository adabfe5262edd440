import { modelList } from "./chat/model-list.ts";
import type { Config } from "./config/schema.ts";
import type { Service } from "./extproc/service.ts";
import { overtime, patienceOf } from "./models/patience.ts";
import type { Backend } from "./outcome.ts";
import type { MakeRecorder } from "./pipeline/content-capture.ts";
import { endpointPicker } from "./pipeline/endpoint-picker.ts";
import { modelDirectory } from "./pipeline/models.ts";
import { upstreamRequest } from "./pipeline/upstream-request.ts";
import { buildPipeline, type Ports } from "./pipeline.ts";
import { contentRecorder } from "./telemetry/content.ts";
import { customAttributes } from "./telemetry/custom-attributes.ts";
import type { Tracing } from "./telemetry/tracing.ts";
import { userIdOf } from "./telemetry/user-id.ts";

/** Builds one generation of the router from a checked configuration. */
export function buildService(
  config: Config,
  ports: Ports | undefined,
  tracing: Tracing,
  generation: number,
): Service {
  const models = modelDirectory(config);
  const modelNames = Object.keys(config.model_config);
  const pick = ports && endpointPicker(config, ports.health);

  /** The endpoint of `name`, else the default model's, else the first of the list. */
  const backendFor = (name: string | undefined): Backend | undefined => {
    const requested = name === undefined ? undefined : models.requested(name);
    const named = requested?.kind === "specified" ? requested.model : undefined;
    const fallback =
      config.default_model ?? modelNames.find((one) => config.model_config[one]?.preferred_endpoints.length);
    return (
      pick?.(named).backend ?? (fallback === undefined ? undefined : pick?.(models.named(fallback)).backend)
    );
  };

  const { tracing: policy } = config.observability;
  return {
    generation,
    tracing,
    guarded: guards(config),
    pipeline: ports && buildPipeline(config, ports, tracing.enabled ? recorderOf(policy) : undefined),
    async passThrough(kind, model, at) {
      const backend = backendFor(model);
      const upstream = upstreamRequest(at, {
        ...(kind === "embeddings" && { operation: kind }),
        ...(model !== undefined && { model: model.slice(0, 128) }),
        backend,
      });
      return { kind: "forward", body: undefined, backend, selection: undefined, upstream };
    },
    modelList: () =>
      modelList(
        config.auto_model_name,
        config.include_config_models_in_list ? modelNames : [],
        Math.floor(Date.now() / 1000),
      ),
    customAttributes: customAttributes(policy.custom_attributes, process.env),
    userHeader: policy.user_id.header,
    userId: userIdOf(policy.user_id),
    overtimeMs: (bytes) => overtime(patienceOf(config.inference), bytes),
    maxBodyBytes: config.limits.max_body_bytes,
    maxJsonDepth: config.limits.max_json_depth,
    tenantHeader: config.semantic_cache.tenant_header,
    blockStatus: config.security.block_status,
    endpointHeader: config.routing.endpoint_header,
    clearRouteCache: config.clear_route_cache,
  };
}

/** The recognisers are loaded only where content is recorded. */
function recorderOf(policy: Config["observability"]["tracing"]): MakeRecorder | undefined {
  if (!policy.capture_content) return undefined;
  const loading = import("./models/recognisers.ts").then(({ recognise }) =>
    contentRecorder(policy.capture_content_max_chars, recognise, policy.provider),
  );
  // Told to whoever waits for it; until then it is nobody's failure.
  loading.catch(() => {});
  return async (known) => (await loading)(known);
}

/** Whether the configuration asks for anything but passing through: models, endpoints, guards or categories. */
export function routes(config: Config): boolean {
  return (
    config.vllm_endpoints.length > 0 ||
    Object.keys(config.model_config).length > 0 ||
    config.categories.length > 0 ||
    guards(config)
  );
}

/** Whether anything reads prompts: then there must be an encoder. */
export const reads = (config: Config): boolean =>
  config.categories.length > 0 || config.semantic_cache.enabled || guards(config);

const guards = (config: Config): boolean =>
  config.prompt_guard.enabled ||
  config.categories.some((category) => category.jailbreak_enabled) ||
  (config.classifier.pii_model?.enabled ?? false);
