import { parentPort } from "node:worker_threads";
import { pack } from "./carry.ts";
import { loadConfig } from "./load.ts";
import type { Ask, Found } from "./loader.ts";
import { ConfigError } from "./problem.ts";

// The thread of loader.ts.

function find({ id, file, env }: Ask): Found {
  try {
    return { id, kind: "loaded", carried: pack(loadConfig(file, env)) };
  } catch (error) {
    if (error instanceof ConfigError) return { id, kind: "refused", problems: error.problems };
    throw error;
  }
}

parentPort!.on("message", (ask: Ask) => parentPort!.postMessage(find(ask)));
