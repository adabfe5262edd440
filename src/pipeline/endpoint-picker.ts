import type { Config, Endpoint } from "../config/schema.ts";
import { type Backend, hostPort } from "../outcome.ts";
import type { EndpointHealth } from "./endpoint-health.ts";
import type { RoutableModel } from "./models.ts";

export interface Picked {
  /** None: the model has no endpoint of weight above 0. */
  readonly backend: Backend | undefined;
  readonly reason:
    | "only_candidate"
    | "weight"
    | "others_set_aside"
    | "all_set_aside"
    | "model_without_endpoint";
  readonly candidates: readonly Endpoint[];
}

/** Picks among a model's endpoints: at random by weight, those that failed of late set aside. */
export function endpointPicker(
  config: Pick<Config, "vllm_endpoints">,
  health: EndpointHealth,
  random: () => number = Math.random,
): (model: RoutableModel | undefined) => Picked {
  const byName = new Map(config.vllm_endpoints.map((endpoint) => [endpoint.name, endpoint]));

  const ofModel = new Map<
    string | undefined,
    { candidates: readonly Endpoint[]; weighted: readonly Endpoint[] }
  >();

  return (model) => {
    const { candidates, weighted } = ofModel.get(model?.base) ?? endpointsOf(model);
    const inService = weighted.filter(({ name }) => health.restMs(name) === 0);
    if (inService.length > 0) {
      const reason =
        inService.length < weighted.length
          ? "others_set_aside"
          : weighted.length === 1
            ? "only_candidate"
            : "weight";
      return { backend: backendOf(byWeight(inService)), reason, candidates };
    }
    // All failed of late: the one whose rest ends first is the best guess, and refusing would be certain failure.
    const [endpoint] = [...weighted].sort((a, b) => health.restMs(a.name) - health.restMs(b.name));
    const reason = endpoint ? "all_set_aside" : "model_without_endpoint";
    return { backend: endpoint && backendOf(endpoint), reason, candidates };
  };

  function endpointsOf(model: RoutableModel | undefined) {
    const candidates = (model?.config?.preferred_endpoints ?? []).flatMap((name) => byName.get(name) ?? []);
    const endpoints = { candidates, weighted: candidates.filter(({ weight }) => weight > 0) };
    // Configured models only: their number is bounded, that of the names clients think of is not.
    if (model?.config) ofModel.set(model.base, endpoints);
    return endpoints;
  }

  function byWeight(endpoints: readonly Endpoint[]): Endpoint {
    let left = random() * endpoints.reduce((sum, { weight }) => sum + weight, 0);
    for (const endpoint of endpoints) {
      left -= endpoint.weight;
      if (left < 0) return endpoint;
    }
    return endpoints[endpoints.length - 1]!;
  }

  function backendOf({ name, address, port }: Endpoint): Backend {
    return {
      name,
      address,
      port,
      hostPort: hostPort(address, port),
      report: (ok) => health.report(name, ok),
    };
  }
}
