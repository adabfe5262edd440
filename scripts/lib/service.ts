import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type EnvoyOptions, renderEnvoy } from "../../src/envoy/render.ts";
import { type Child, startChild } from "./child.ts";
import { CACHE, ROOT, type Settings } from "./settings.ts";

/** A program of ours whose output goes to a file. */
export type Service = Child & { readonly name: string; readonly log: string; lastLine(): string };

export function startService(
  name: string,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Service {
  const folder = join(CACHE, "logs");
  mkdirSync(folder, { recursive: true });
  const log = join(folder, `${name}.log`);
  const out = openSync(log, "w");
  const child = startChild(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", out, out],
  });
  closeSync(out);
  const lastLine = (): string => readFileSync(log, "utf8").trimEnd().split("\n").at(-1) ?? "";
  return { ...child, name, log, lastLine };
}

/** Envoy's configuration for these settings, written where Envoy can read it. */
export function writeEnvoyConfig(
  settings: Settings,
  options: Pick<EnvoyOptions, "endpoints" | "endpointHeader">,
): string {
  const local = (port: number) => ({ address: "127.0.0.1", port });
  const text = renderEnvoy(readFileSync(join(ROOT, "envoy", "envoy.yaml"), "utf8"), {
    ...options,
    listen: local(settings.envoyPort),
    admin: local(settings.adminPort),
    processor: local(settings.processorPort),
  });
  const file = join(CACHE, "run", `envoy-${settings.envoyPort}.yaml`);
  mkdirSync(join(CACHE, "run"), { recursive: true });
  writeFileSync(file, text);
  return file;
}

export const ENVOY_FLAGS = ["--disable-hot-restart", "--concurrency", "2", "--log-level", "warn"];

/** Resolves when Envoy is live and its health check has seen the processor ready. */
export async function envoyReady(adminPort: number, withinMs: number): Promise<void> {
  const gauge = "cluster.processor.membership_healthy";
  const deadline = Date.now() + withinMs;
  let missing = "Envoy's admin port";
  while (Date.now() < deadline) {
    try {
      const get = async (path: string): Promise<string> =>
        (await fetch(`http://127.0.0.1:${adminPort}${path}`, { signal: AbortSignal.timeout(1_000) })).text();
      missing = (await get("/ready")).startsWith("LIVE") ? "a healthy processor" : "Envoy";
      if (Number((await get(`/stats?filter=^${gauge}$`)).split(": ")[1]) > 0) return;
    } catch {
      // Not listening yet.
    }
    await sleep(15);
  }
  throw new Error(`still no ${missing} after ${withinMs / 1_000} s`);
}
