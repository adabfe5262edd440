import { now } from "../telemetry/clock.ts";

const firstRestMs = 1000;
const longestRestMs = 30_000;

/** Remembers which endpoints failed of late. One that fails is set aside, twice as long each time, then tried again. */
export function endpointHealth(clock: () => number = now) {
  const resting = new Map<string, { untilMs: number; restMs: number }>();
  return {
    /** Milliseconds until the endpoint is tried again; 0 for one in service. */
    restMs(name: string): number {
      const rest = resting.get(name);
      return rest ? Math.max(0, rest.untilMs - clock()) : 0;
    },
    report(name: string, ok: boolean): void {
      if (ok) {
        resting.delete(name);
        return;
      }
      const before = resting.get(name);
      // Exchanges that were under way together fail together: that is one failure, not many.
      if (before && clock() < before.untilMs) return;
      const restMs = Math.min(longestRestMs, before ? before.restMs * 2 : firstRestMs);
      resting.set(name, { untilMs: clock() + restMs, restMs });
    },
  };
}

export type EndpointHealth = ReturnType<typeof endpointHealth>;
