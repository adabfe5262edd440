import type { Tracing } from "../../config/schema.ts";
import { type Choice, type Choices, Fault, pairsOf } from "./choices.ts";

// The second name is what dashboards made before 2024 look for.
const environments = ["deployment.environment.name", "deployment.environment"] as const;

/** The resource's attributes, `service.name` first. Those of the environment win one by one. */
export function resource(
  { service_name, service_version, deployment_environment }: Tracing["resource"],
  choices: Choices,
): Map<string, Choice<string>> {
  const file = (key: string, value: string) => choices.file(`resource.${key}`, value);
  const result = new Map([["service.name", file("service_name", service_name)]]);
  if (service_version !== undefined) result.set("service.version", file("service_version", service_version));
  if (deployment_environment !== undefined)
    for (const name of environments) result.set(name, file("deployment_environment", deployment_environment));

  // The specification drops the whole variable for one bad entry.
  const attributes = choices.variable(["OTEL_RESOURCE_ATTRIBUTES"], (text) => {
    const pairs = pairsOf(text);
    return pairs.find((pair) => pair instanceof Fault) ?? new Map(pairs as (readonly [string, string])[]);
  });
  if (attributes) {
    const { value: given, from } = attributes;
    const environment = given.get(environments[0]) ?? given.get(environments[1]);
    // Under both names, or the other one would still say what the file says.
    if (environment !== undefined)
      for (const name of environments) result.set(name, { value: environment, from });
    for (const [name, value] of given)
      if (value !== "" || name !== "service.name") result.set(name, { value, from });
  }
  const name = choices.variable(["OTEL_SERVICE_NAME"], (text) => text);
  if (name) result.set("service.name", name);
  return result;
}
