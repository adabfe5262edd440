import type { Loaded } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import type { Service } from "./extproc/service.ts";
import { buildGeneration, type Generation, type Surroundings } from "./generation.ts";
import type { Encoder } from "./models/encode.ts";
import { endpointHealth } from "./pipeline/endpoint-health.ts";
import { exportLedger } from "./telemetry/ledger.ts";
import type { EffectiveValue } from "./telemetry/settings.ts";
import type { Tracing } from "./telemetry/tracing.ts";

/** The configuration in force, and those before it that still serve an exchange. */
export interface Generations {
  /** The service in force, for an exchange that begins; `leave` is told when that has ended. */
  enter(): Service;
  leave(service: Service): void;
  /** Number of the configuration in force, from 1. */
  readonly number: number;
  readonly config: Config;
  readonly encoder: Encoder | undefined;
  readonly effective: readonly EffectiveValue[];
  readonly exported: Tracing["health"];
  /** Configurations that are not released: the one in force, and those that an exchange still has. */
  readonly held: number;
  /**
   * Builds the next generation from a checked file and puts it in force; exchanges under way keep theirs. Rejects with
   * an Error that names the key, and changes nothing, where the file asks for what needs a restart or cannot be built.
   */
  replace(next: Loaded): Promise<void>;
  /** Ends tracing, every generation's, within `deadlineMs`, and then all else. */
  close(deadlineMs: number): Promise<void>;
}

/** For the last batch of a tracing whose successor cannot take it over. */
const retireMs = 30_000;
/** After the deadline, for what was lost by then to be counted. */
const settleMs = 250;

export async function startGenerations(
  first: Loaded,
  env: NodeJS.ProcessEnv,
  tell: Surroundings["tell"],
): Promise<Generations> {
  const ledger = exportLedger((level, message) => tell(level, message, { spans: ledger.health }));
  const surroundings: Surroundings = { env, health: endpointHealth(), ledger, tell };
  const retiring = new Set<Promise<void>>();
  let number = 1;
  let current = await buildGeneration(first, undefined, number, surroundings);
  /** How many exchanges each has that is not released. */
  const live = new Map<Service, { readonly generation: Generation; exchanges: number }>();
  const admit = (generation: Generation) => live.set(generation.service, { generation, exchanges: 0 });
  admit(current);

  /** Ends what only this generation had; it is not in force any more. */
  function release(generation: Generation): void {
    live.delete(generation.service);
    const others = [...live.values()].map((one) => one.generation);
    const { models, cache } = generation;
    if (models && !others.some((other) => other.models === models)) void models.encoder.close();
    if (cache && !others.some((other) => other.cache === cache)) void cache.store.close();
  }

  function retire(tracing: Tracing, next: Tracing): void {
    const over = tracing.retire(next, retireMs).finally(() => retiring.delete(over));
    retiring.add(over);
  }

  return {
    enter() {
      live.get(current.service)!.exchanges += 1;
      return current.service;
    },
    leave(service) {
      const one = live.get(service);
      if (!one) return;
      one.exchanges -= 1;
      if (one.exchanges === 0 && one.generation !== current) release(one.generation);
    },
    get number() {
      return number;
    },
    get config() {
      return current.loaded.config;
    },
    get encoder() {
      return current.encoder;
    },
    get effective() {
      return current.effective;
    },
    get held() {
      return live.size;
    },
    exported: ledger.health,
    async replace(next) {
      refuseWhatNeedsRestart(current.loaded.config, next.config);
      const before = current;
      const after = await buildGeneration(next, before, number + 1, surroundings);
      number += 1;
      admit(after);
      current = after;
      if (before.tracing !== after.tracing) retire(before.tracing.tracing, after.tracing.tracing);
      if (live.get(before.service)?.exchanges === 0) release(before);
    },
    async close(deadlineMs) {
      const generations = [...live.values()].map(({ generation }) => generation);
      await Promise.all(
        generations.flatMap(({ models, cache }) => [models?.encoder.close(), cache?.store.close()]),
      );
      let timer: NodeJS.Timeout | undefined;
      // Those that were retired have their own deadline; one that began late is not waited for in full.
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, deadlineMs + settleMs);
      });
      await Promise.race([Promise.all([current.tracing.tracing.shutdown(deadlineMs), ...retiring]), late]);
      clearTimeout(timer);
      ledger.flush();
    },
  };
}

/** Addresses are bound once, at the start. */
function refuseWhatNeedsRestart(before: Config, next: Config): void {
  const bound = [
    ["server.listen", before.server.listen, next.server.listen],
    ["server.status_listen", before.server.status_listen, next.server.status_listen],
    ["admin.listen", before.admin.listen, next.admin.listen],
  ] as const;
  const changed = bound.find(([, old, now]) => old !== now);
  if (changed)
    throw new Error(
      `${changed[0]} changed, which needs a restart: the configuration in force stays as it is`,
    );
}
