import { parseConfig } from "../../src/config/load.ts";
import { describeEffective, resolveTracing } from "../../src/telemetry/settings/resolve.ts";

export type Env = Readonly<Record<string, string>>;

/** What comes of a file with these keys of tracing and these variables. */
export function resolve(tracing: string, env: Env = {}, enabled = "enabled: true,") {
  const { config, written } = parseConfig(`observability: { tracing: { ${enabled} ${tracing} } }`);
  const { settings, effective, warnings } = resolveTracing(config.observability.tracing, written, env);
  return { settings, warnings, told: describeEffective(effective) };
}

/** Variables by what stands behind `OTEL_EXPORTER_OTLP_`. */
export const otlp = (env: Env): Env =>
  Object.fromEntries(Object.entries(env).map(([name, value]) => [`OTEL_EXPORTER_OTLP_${name}`, value]));
