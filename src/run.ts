import type { Logger } from "pino";
import { admin } from "./admin/admin.ts";
import { serveHttp } from "./admin/http.ts";
import { type Standing, status } from "./admin/status.ts";
import type { Loaded } from "./config/load.ts";
import { describe } from "./config/problem.ts";
import { joinEndings } from "./extproc/endings.ts";
import { startGenerations } from "./generations.ts";
import { openLog } from "./log.ts";
import { StageFault } from "./outcome.ts";
import { followConfig } from "./reloading.ts";
import { routes } from "./router.ts";
import { describeEffective } from "./telemetry/settings/resolve.ts";
import type { EffectiveValue } from "./telemetry/settings.ts";
import { version } from "./version.ts";

const flushMs = 5000;

/** Addresses that the command line gives, before those of the configuration. */
export interface Addresses {
  readonly listen?: string | undefined;
  readonly statusListen?: string | undefined;
  readonly adminListen?: string | undefined;
}

/**
 * Builds everything, serves until a signal comes, then takes it down in reverse. Rejects where it cannot start.
 * @param ready told when it serves, and from when on signals are its own.
 */
export async function run(loaded: Loaded, given: Addresses, ready: () => void): Promise<void> {
  const { log, close } = openLog(loaded.config.logging.level);
  try {
    await serveUntilStopped(loaded, given, ready, log);
  } finally {
    await close();
  }
}

async function serveUntilStopped(
  loaded: Loaded,
  given: Addresses,
  ready: () => void,
  log: Logger,
): Promise<void> {
  const { server, admin: adminSettings } = loaded.config;
  const listen = given.listen ?? server.listen;
  const statusListen = given.statusListen ?? server.status_listen;
  const adminListen = given.adminListen ?? adminSettings.listen;

  let standing: () => Standing = () => ({ status: "starting", reasons: ["the models are being loaded"] });
  // First of all: whoever probes is to be told how far the start is.
  const probes =
    statusListen === undefined
      ? undefined
      : await serveHttp(
          statusListen,
          "server.status_listen",
          status(() => standing()),
        );
  tellWarnings(loaded, log);
  const starting = startGenerations(loaded, process.env, (level, message, about = {}) =>
    log[level](about, message),
  );
  // gRPC takes as long to load as the models do, on another core.
  const serving = import("./extproc/server.ts");
  const generations = await starting;
  const { serve } = await serving;
  tellTracing(generations.effective, log);
  const endings = joinEndings(
    () => generations.config.observability.tracing.access_log_wait_ms,
    () =>
      log.warn(
        "Envoy's access log does not reach this processor: traces will not tell why an exchange was cut (docs/envoy.md)",
      ),
  );
  const processor = await serve(listen, {
    enter: generations.enter,
    leave: generations.leave,
    endings,
    fault: (error) => {
      if (error instanceof StageFault)
        log.warn({ stage: error.stage, reason: error.reason }, "a guard could not work");
      else log.error({ err: withoutContent(error) }, "an exchange failed");
    },
  });
  const reloading = followConfig(loaded.source, generations, {
    loaded: (next) => tellWarnings(next, log),
    done: (reload) => {
      if (!reload.applied)
        return log.error({ generation: reload.generation }, `configuration not reloaded: ${reload.error}`);
      log.level = generations.config.logging.level;
      tellTracing(generations.effective, log);
      log.info({ generation: reload.generation, by: reload.by, ms: reload.ms }, "configuration reloaded");
    },
  });
  const operators =
    adminListen === undefined
      ? undefined
      : await serveHttp(
          adminListen,
          "admin.listen",
          admin({
            token: () => generations.config.admin.token,
            lastReload: () => reloading.last,
            reload: () => reloading.reload("admin"),
          }),
        );
  standing = () => ({
    status: "ready",
    reasons: generations.encoder?.serves?.() === false ? ["no encoding thread serves at the moment"] : [],
    generation: generations.number,
  });
  const ports = { port: processor.port, status_port: probes?.port, admin_port: operators?.port };
  log.info({ address: listen, ...ports, version, models: generations.encoder?.fingerprint }, "ready");

  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    // A second SIGTERM changes nothing; a second Ctrl-C ends the process at once.
    process.on("SIGTERM", resolve);
    process.once("SIGINT", resolve);
    ready();
  });

  standing = () => ({ status: "stopping", reasons: [`${signal} was received`] });
  reloading.close();
  log.info({ signal, active: processor.active }, "stopping");
  await processor.stop(generations.config.server.drain_seconds * 1000);
  await generations.close(flushMs);
  await Promise.all([probes?.close(), operators?.close()]);
  log.info({ spans: generations.exported }, "stopped");
}

function tellWarnings({ config, warnings, source }: Loaded, log: Logger): void {
  for (const warning of warnings) log.warn(describe(warning, source.file));
  if (!routes(config))
    log.warn("the configuration names no models and no guards: every request is passed through");
}

/** What is in force and where it came from: one line, since the answer to "no traces" is mostly in it. */
function tellTracing(effective: readonly EffectiveValue[], log: Logger): void {
  log.info(describeEffective(effective), "tracing");
}

/** The message of an unforeseen error may quote what it failed on; its name and place do not. */
function withoutContent(error: unknown): { name: string; at: string | undefined } {
  if (!(error instanceof Error)) return { name: typeof error, at: undefined };
  const at = error.stack?.split("\n").find((line) => /^\s+at /.test(line));
  return { name: error.name, at: at?.trim().replace(/file:\/\/.*\/(src|dist)\//, "$1/") };
}
