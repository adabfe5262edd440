import { readFileSync } from "node:fs";

const quickstart = new URL("../../examples/config/quickstart.yaml", import.meta.url);

export interface Telemetry {
  /** Port of an OTLP collector; 0 switches tracing off. */
  readonly collector: number;
}

const tracing = ({ collector }: Telemetry) => `
observability:
  tracing:
    enabled: ${collector > 0}
    exporter: { type: otlp, endpoint: "127.0.0.1:${collector || 4317}", insecure: true }
    sampling: { type: always_on }
logging: { level: info }
`;

export const endpointNames = ["math-endpoint", "code-endpoint", "general-endpoint"] as const;

/** Models and endpoints, nothing that reads a prompt: what a client asks for is where it goes. */
export const unclassified = (upstream: number, telemetry: Telemetry): string => `
vllm_endpoints:
  - { name: general-endpoint, address: 127.0.0.1, port: ${upstream} }
model_config:
  general-model: { preferred_endpoints: [general-endpoint] }
default_model: general-model
${tracing(telemetry)}`;

/** The quickstart as it is: all detectors, 14 categories, the cache; only addresses and the cache's size differ. */
export const everything = (upstream: number, telemetry: Telemetry): string =>
  readFileSync(quickstart, "utf8")
    .replaceAll(/port: 881\d/g, `port: ${upstream}`)
    .replace(/max_entries: \d+/, "max_entries: 10000")
    .replace(/\nobservability:[\s\S]*$/, "\n") + tracing(telemetry);
