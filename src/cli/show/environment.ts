import type { EffectiveValue } from "../../telemetry/settings.ts";
import { type Node, stars, valuesOf } from "./tree.ts";

const tracing = "observability.tracing";

/** Keys of the file by what `resolveTracing` calls them; the rest of its values have no key. */
const keys: Readonly<Record<string, string>> = {
  enabled: "enabled",
  exporter: "exporter.type",
  protocol: "exporter.protocol",
  endpoint: "exporter.endpoint",
  compression: "exporter.compression",
  "tls.ca_file": "exporter.tls.ca_file",
  "tls.cert_file": "exporter.tls.cert_file",
  "tls.key_file": "exporter.tls.key_file",
  "sampler.rate": "sampling.rate",
  "resource.service.name": "resource.service_name",
  "resource.service.version": "resource.service_version",
  "resource.deployment.environment.name": "resource.deployment_environment",
};

const isVariable = (from: string): boolean => from !== "file" && from !== "default";

/**
 * Puts what `OTEL_*` variables decide in the place of what the file says. Returns what is in force and has no key of its
 * own, or none in this tree.
 */
export function applyTracing(tree: Node | undefined, effective: readonly EffectiveValue[]): EffectiveValue[] {
  const values = new Map(valuesOf(tree).map((node) => [node.path, node]));
  const put = (key: string, value: unknown, from: string): boolean => {
    const node = values.get(`${tracing}.${key}`);
    if (!node) return false;
    const isOther = typeof node.value === "number" && String(node.value) !== String(value);
    if (isVariable(from)) node.origin = `environment ${from}`;
    // A limit that gives way to another one: the file has its own value, and it is not in force.
    else if (isOther) node.origin = from === "default" ? "default" : "another limit of the file";
    else return true;
    node.value =
      typeof node.value === "number"
        ? Number(value)
        : typeof node.value === "boolean"
          ? value === "true"
          : value;
    return true;
  };
  return effective.filter(({ key, value, from }) => {
    if (key === "sampler") return !putSampler(value, from, put);
    if (key === "resource.deployment.environment")
      return !put("resource.deployment_environment", value, from);
    if (key.startsWith("headers.")) return !put(`exporter.${key}`, stars, from) && isVariable(from);
    if (/^(?:provider|capture_content|env_override)$/.test(key)) return false;
    const isLimit = /^(?:timeout_ms$|retry\.|batch\.|queue\.)/.test(key);
    const known = isLimit ? `exporter.${key}` : keys[key];
    return known === undefined || !put(known, value, from);
  });
}

function putSampler(
  name: string,
  from: string,
  put: (key: string, value: unknown, from: string) => boolean,
): boolean {
  if (!isVariable(from)) return true;
  const type = name.replace("parentbased_", "").replace("traceidratio", "probabilistic");
  const isParentBased = String(name.startsWith("parentbased_"));
  return put("sampling.type", type, from) && put("sampling.parent_based", isParentBased, from);
}
