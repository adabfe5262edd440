import { existsSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import type { Loaded } from "./config/load.ts";
import { version } from "./version.ts";

// Before anything else is loaded: a second start finds everything compiled.
enableCompileCache();
// For the threads to come: the young generation that serves requests well is far too large for them, and what a worker
// asks for itself counts for less than the flags of the process (config.processor_flags in package.json).
setFlagsFromString("--min-semi-space-size=1");
setFlagsFromString("--max-semi-space-size=2");

const help = `semantic-router ${version}: an Envoy external processor that routes LLM requests by their meaning

  --config FILE    configuration; else CONFIG_PATH, CONFIG_FILE, /config/config.yaml
  --listen ADDR    host:port or unix:/path; overrides server.listen
  --check          check the configuration, say what is wrong with it, and exit
  --version, --help

semantic-router classify TEXT | --jsonl: what the models say of texts; classify --help tells more`;

const mountedConfig = "/config/config.yaml";

async function main(): Promise<number> {
  const [command, ...rest] = process.argv.slice(2);
  if (command === "classify") {
    const { classify } = await import("./cli/classify.ts");
    return classify(rest);
  }
  if (command !== undefined && !command.startsWith("-")) {
    const { hint } = await import("./config/nearest.ts");
    return usage(`unknown command "${command}"${hint(command, ["classify"])}`);
  }
  const { values } = parseArgs({
    options: {
      config: { type: "string" },
      listen: { type: "string" },
      check: { type: "boolean" },
      version: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help || values.version) {
    console.log(values.help ? help : version);
    return 0;
  }
  const { configPath, loadConfig } = await import("./config/load.ts");
  const { ConfigError, describe } = await import("./config/problem.ts");
  const file =
    values.config ?? configPath([], process.env) ?? (existsSync(mountedConfig) ? mountedConfig : undefined);
  if (file === undefined) {
    console.error(
      `no configuration: give --config FILE or set CONFIG_PATH (${mountedConfig} does not exist); --help shows how`,
    );
    return 1;
  }
  try {
    const loaded = loadConfig(file);
    if (values.check) {
      for (const warning of loaded.warnings) console.log(`warning: ${describe(warning, file)}`);
      const faults = await modelFaults(loaded);
      for (const fault of faults) console.error(fault);
      if (faults.length > 0) return 1;
      console.log(`${file}: valid`);
      return 0;
    }
    const { run } = await import("./run.ts");
    await run(loaded, values.listen);
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(error instanceof ConfigError ? error.message : `semantic-router: ${error.message}`);
    return 1;
  }
}

/** What is wrong with the files of models of the operator's own, where the start would load them. */
async function modelFaults({ config, source }: Loaded): Promise<string[]> {
  const { ownModelSettings } = await import("./config/own-models.ts");
  const models = ownModelSettings(config, source.file);
  if (models.length === 0) return [];
  const { reads, routes } = await import("./router.ts");
  if (!routes(config) || !reads(config)) return [];
  const { faultsOf } = await import("./models/own/check.ts");
  return faultsOf(models);
}

/** Says on one line what is wrong with the command line. */
function usage(message: string): number {
  console.error(`semantic-router: ${message.replaceAll(/\s*\n\s*/g, " ")} (--help shows how)`);
  return 2;
}

// Whatever still runs by then, a batch to a collector that does not answer, say, has had its time.
process.exit(
  await main().catch((error: NodeJS.ErrnoException) => {
    if (error.code?.startsWith("ERR_PARSE_ARGS")) return usage(error.message);
    console.error(error.message);
    return 2;
  }),
);
