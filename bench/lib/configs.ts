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

/** 200 categories with prompts and keyword rules, 20 models, 10 endpoints, all detectors: some 3,500 lines of YAML. */
export function large(upstream: number, telemetry: Telemetry): string {
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
  const prompt = "Answer as an expert of this field would, step by step, and name your sources. ";
  return `
vllm_endpoints:
${numbers(10)
  .map((i) => `  - { name: endpoint-${i}, address: 127.0.0.1, port: ${upstream} }`)
  .join("\n")}
model_config:
${numbers(20)
  .map(
    (i) =>
      `  model-${i}:\n    preferred_endpoints: [endpoint-${i % 10}]\n    pii_policy:\n      allow_by_default: true`,
  )
  .join("\n")}
default_model: model-0
categories:
${numbers(200)
  .map((i) =>
    [
      `  - name: ${i === 0 ? "math" : `category-${i}`}`,
      `    system_prompt: "${prompt.repeat(3)}"`,
      "    model_scores:",
      ...numbers(3).flatMap((k) => [
        `      - model: model-${(i + k) % 20}`,
        `        score: ${1 - k / 4}`,
        `        use_reasoning: ${k === 0}`,
      ]),
    ].join("\n"),
  )
  .join("\n")}
keyword_rules:
${numbers(50)
  .map((i) => `  - category: category-${i + 1}\n    operator: OR\n    keywords: [word${i}, term${i}]`)
  .join("\n")}
prompt_guard: { enabled: true }
classifier: { pii_model: {} }
semantic_cache: { enabled: true }
${tracing(telemetry)}`;
}

/** The quickstart as it is: all detectors, 14 categories, the cache; only addresses and the cache's size differ. */
export const everything = (upstream: number, telemetry: Telemetry): string =>
  readFileSync(quickstart, "utf8")
    .replaceAll(/port: 881\d/g, `port: ${upstream}`)
    .replace(/max_entries: \d+/, "max_entries: 10000")
    .replace(/\nobservability:[\s\S]*$/, "\n") + tracing(telemetry);
