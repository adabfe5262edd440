import type { Config } from "../config/schema.ts";
import type { Backend } from "../outcome.ts";
import type { Trace } from "../telemetry/trace.ts";
import type { EndpointHealth } from "./endpoint-health.ts";
import { endpointPicker } from "./endpoint-picker.ts";
import type { RoutableModel } from "./models.ts";
import { stage } from "./stage.ts";

export type Selected =
  | { readonly kind: "backend"; readonly backend: Backend }
  /** The configuration names no endpoints at all: Envoy's routes decide. */
  | { readonly kind: "left_to_envoy" }
  /** The model has none. */
  | { readonly kind: "none" };

/** Picks the endpoint that serves the model. */
export function backendSelection(config: Pick<Config, "vllm_endpoints">, health: EndpointHealth) {
  const pick = endpointPicker(config, health);

  return (model: RoutableModel, at: Trace): Selected =>
    stage(at, "semantic_router.backend.selection", (span) => {
      if (config.vllm_endpoints.length === 0) {
        span.set("endpoint.reason", "left_to_envoy");
        return { kind: "left_to_envoy" };
      }
      const { backend, reason, candidates } = pick(model);
      span
        .set("endpoint.name", backend?.name)
        .set("endpoint.address", backend?.hostPort)
        .set(
          "endpoint.candidates",
          candidates.map(({ name, weight }) => `${name}=${weight}`),
        )
        .set("endpoint.reason", reason);
      if (!backend) span.set("error.type", reason).fail(reason);
      return backend ? { kind: "backend", backend } : { kind: "none" };
    });
}
