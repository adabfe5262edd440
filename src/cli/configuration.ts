import { existsSync } from "node:fs";
import { configPath } from "../config/load.ts";
import type { Env } from "../config/variables.ts";

const mountedConfig = "/config/config.yaml";

/** The file that `serve` would read. Throws an Error with the remedy where there is none. */
export function configFile(given: string | undefined, env: Env = process.env): string {
  const file = given ?? configPath([], env) ?? (existsSync(mountedConfig) ? mountedConfig : undefined);
  if (file === undefined)
    throw new Error(
      `no configuration: give --config FILE or set CONFIG_PATH (${mountedConfig} does not exist)`,
    );
  return file;
}
