import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { describe } from "../../src/config/problem.ts";
import type { Config } from "../../src/config/schema.ts";
import type { EnvoyEndpoint } from "../../src/envoy/render.ts";

export const ROOT = join(import.meta.dirname, "..", "..");
export const CACHE = join(ROOT, ".cache");
export const QUICKSTART = join(ROOT, "examples", "config", "quickstart.yaml");
const FIRST_DEMO_PORT = 8811;

/** What the environment asks of the scripts. */
export type Settings = {
  /** The user's own configuration, or undefined: the quickstart's. */
  readonly ownConfig: string | undefined;
  readonly processorPort: number;
  readonly envoyPort: number;
  readonly adminPort: number;
  /** Port of the first demo server; the others follow. */
  readonly demoPort: number;
  /** A collector of the user's. */
  readonly collector: string | undefined;
};

export function readSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  return {
    ownConfig: env.CONFIG_PATH || undefined,
    processorPort: port(env, "PROCESSOR_PORT", 50051),
    envoyPort: port(env, "ENVOY_PORT", 8801),
    adminPort: port(env, "ENVOY_ADMIN_PORT", 19000),
    demoPort: port(env, "DEMO_PORT", FIRST_DEMO_PORT),
    collector:
      env.OTLP_ENDPOINT ||
      env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ||
      env.OTEL_EXPORTER_OTLP_ENDPOINT ||
      undefined,
  };
}

/** The configuration file to run with, and what is in it. Throws what is wrong with it. */
export function readConfig(settings: Settings): {
  file: string;
  config: Config;
  endpoints: EnvoyEndpoint[];
  warnings: string[];
} {
  const file = settings.ownConfig ?? quickstart(settings.demoPort);
  const { config, warnings } = loadConfig(file);
  const endpoints = config.vllm_endpoints.map(({ name, address, port }) => ({ name, address, port }));
  return { file, config, endpoints, warnings: warnings.map((warning) => describe(warning, file)) };
}

/** The quickstart's file, or a copy with other ports for the demo servers. */
function quickstart(demoPort: number): string {
  if (demoPort === FIRST_DEMO_PORT) return QUICKSTART;
  const doc = parseDocument(readFileSync(QUICKSTART, "utf8"));
  const count = (doc.toJS() as { vllm_endpoints: unknown[] }).vllm_endpoints.length;
  for (let index = 0; index < count; index++) doc.setIn(["vllm_endpoints", index, "port"], demoPort + index);
  const copy = join(CACHE, "run", `quickstart-${demoPort}.yaml`);
  mkdirSync(join(CACHE, "run"), { recursive: true });
  writeFileSync(copy, doc.toString());
  return copy;
}

function port(env: NodeJS.ProcessEnv, name: string, otherwise: number): number {
  const text = env[name];
  if (!text) return otherwise;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 65_535)
    throw new Error(`${name}=${text} is not a port number (1 to 65535)`);
  return value;
}
