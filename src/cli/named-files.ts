import { closeSync, openSync, readSync } from "node:fs";
import type { Loaded } from "../config/load.ts";
import { ownModelSettings } from "../config/own-models.ts";
import { type Path, type Problem, pathText } from "../config/problem.ts";
import type { Env } from "../config/variables.ts";
import { Places } from "./places.ts";
import { whyUnreadable } from "./unreadable.ts";

/** What is wrong with the directories of models, where the start would load them. No graph is opened. */
export async function modelProblems({ config, source }: Loaded, env: Env): Promise<Problem[]> {
  const own = ownModelSettings(config, source.file);
  const { model_path } = config.inference;
  if (own.length === 0 && model_path === undefined) return [];
  const { reads, routes } = await import("../router.ts");
  if (!routes(config) || !reads(config)) return [];
  const found: Problem[] = [];
  const places = new Places(source.text, env);
  const tell = (path: Path, message: string) =>
    found.push({ ...places.of(path), path: pathText(path), message });

  if (model_path !== undefined) {
    const { readModel } = await import("../models/about.ts");
    try {
      readModel(model_path);
    } catch (error) {
      tell(["inference", "model_path"], (error as Error).message);
    }
  }
  const { faultsOf } = await import("../models/own/check.ts");
  for (const model of own)
    for (const fault of faultsOf([model])) tell(model.key.split("."), fault.replace(`${model.key}: `, ""));
  return found;
}

/**
 * Files that the sending of spans needs and that cannot be read. The processor starts without them, and tries again with
 * each batch; and who checks a configuration is often not on the machine that has its secrets.
 */
export async function spanFileWarnings({ config, source, written }: Loaded, env: Env): Promise<Problem[]> {
  const { tracing } = config.observability;
  const { resolveTracing } = await import("../telemetry/settings/resolve.ts");
  const { enabled, otlp } = resolveTracing(tracing, written, env).settings;
  if (!enabled || !otlp) return [];
  const { tls, header_files } = tracing.exporter;
  // What the environment puts in its place is not read.
  const inForce = new Set([...Object.values(otlp.tls), ...Object.values(otlp.headerFiles)]);
  const named = [
    ...(["ca_file", "cert_file", "key_file"] as const).map((key) => [["tls", key], tls[key]] as const),
    ...Object.entries(header_files).map(([name, file]) => [["header_files", name], file] as const),
  ];
  const places = new Places(source.text, env);
  return named.flatMap(([key, file]) => {
    const why = file !== undefined && inForce.has(file) ? faultOf(file) : undefined;
    if (why === undefined) return [];
    const path = ["observability", "tracing", "exporter", ...key];
    const message = `not readable here: ${file}: ${why}; spans cannot be sent before it is`;
    return [{ ...places.of(path), path: pathText(path), message }];
  });
}

function faultOf(file: string): string | undefined {
  try {
    const opened = openSync(file, "r");
    try {
      // A directory can be opened.
      readSync(opened, Buffer.alloc(1));
    } finally {
      closeSync(opened);
    }
    return undefined;
  } catch (error) {
    return whyUnreadable(error as NodeJS.ErrnoException);
  }
}
