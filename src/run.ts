import { setTimeout as sleep } from "node:timers/promises";
import pino, { type Logger } from "pino";
import { type Loaded, loadConfig } from "./config/load.ts";
import { ConfigError, describe } from "./config/problem.ts";
import { watchConfig } from "./config/watch.ts";
import { joinEndings } from "./extproc/endings.ts";
import { type Generations, startGenerations } from "./generations.ts";
import { StageFault } from "./outcome.ts";
import { routes } from "./router.ts";
import { describeEffective } from "./telemetry/settings/resolve.ts";
import type { EffectiveValue } from "./telemetry/settings.ts";
import { version } from "./version.ts";

const flushMs = 5000;
const lastLinesMs = 500;

/** Builds everything, serves until a signal comes, then takes it down in reverse. Rejects before it has bound a port. */
export async function run(loaded: Loaded, listen = loaded.config.server.listen): Promise<void> {
  // Standard error: spans may go to standard output, and the two must not mix. A reader that stalls must not stall
  // requests: what it leaves waits, up to a megabyte, and beyond that lines are lost.
  const stderr = pino.destination({ dest: 2, sync: false, maxLength: 1024 * 1024 });
  const log = pino({ level: loaded.config.logging.level, base: null }, stderr);
  tellWarnings(loaded, log);
  const starting = startGenerations(loaded, process.env, (level, message, about = {}) =>
    log[level](about, message),
  );
  // gRPC takes as long to load as the models do, on another core.
  const serving = import("./extproc/server.ts");
  const { generations, effective } = await starting;
  const { serve } = await serving;
  tellTracing(effective, log);
  const { encoder } = generations;
  const endings = joinEndings(
    () => generations.config.observability.tracing.access_log_wait_ms,
    () =>
      log.warn(
        "Envoy's access log does not reach this processor: traces will not tell why an exchange was cut (docs/envoy.md)",
      ),
  );
  const processor = await serve(listen, {
    current: generations.current,
    endings,
    fault: (error) => {
      if (error instanceof StageFault)
        log.warn({ stage: error.stage, reason: error.reason }, "a guard could not work");
      else log.error({ err: withoutContent(error) }, "an exchange failed");
    },
  });
  const unwatch = keepUpToDate(loaded.source, generations, log);
  log.info({ address: listen, port: processor.port, version, models: encoder?.fingerprint }, "ready");

  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    // A second SIGTERM changes nothing; a second Ctrl-C ends the process at once.
    process.on("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
  unwatch();
  log.info({ signal, active: processor.active }, "stopping");
  await processor.stop(generations.config.server.drain_seconds * 1000);
  await generations.close(flushMs);
  log.info({ spans: generations.exported }, "stopped");
  await flushed(stderr);
}

/** The last lines out, if their reader takes them. */
function flushed(to: { flush(done: () => void): void }): Promise<unknown> {
  const done = new Promise<void>((resolve) => to.flush(resolve));
  return Promise.race([done, sleep(lastLinesMs)]);
}

/** Follows the file, and SIGHUP. A file that is wrong changes nothing. */
function keepUpToDate({ file, text }: Loaded["source"], generations: Generations, log: Logger): () => void {
  let under = Promise.resolve();
  const reload = () => {
    // One after another: the last file wins, whatever the order in which they are built.
    under = under.then(async () => {
      try {
        const next = loadConfig(file);
        tellWarnings(next, log);
        const effective = await generations.replace(next);
        log.level = next.config.logging.level;
        tellTracing(effective, log);
        log.info({ generation: generations.current().generation }, "configuration reloaded");
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        const message = error instanceof ConfigError ? error.message : `${file}: ${error.message}`;
        log.error({ generation: generations.current().generation }, `configuration not reloaded: ${message}`);
      }
    });
  };
  const unwatch = watchConfig(file, text, reload);
  process.on("SIGHUP", reload);
  return () => {
    unwatch();
    process.off("SIGHUP", reload);
    // Unheard, a SIGHUP would end the process in the middle of its drain.
    process.on("SIGHUP", () => {});
  };
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
