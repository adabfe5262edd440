import type { Failure } from "./transport.ts";

/** A collector that asks for more than ten minutes is asked again after these: more likely a mistake. */
const longestMs = 600_000;

/**
 * Whether requests may go. A collector that is away or asks for a pause shuts it for all of them; when the time is over
 * one request goes alone, and what becomes of that one decides.
 */
export interface Gate {
  /** When the next request may go, by `performance.now()`: 0 is at once, Infinity when the one under way is answered. */
  readonly opensAt: number;
  /** What shut it last. */
  readonly why: Failure | undefined;
  /** A request goes. Returns whether it is the one that decides. */
  enter(): boolean;
  /** Of the request that decides: the collector takes requests. */
  open(): void;
  /** @param decided whether it is told of the request that decides. */
  shut(waitMs: number, why: Failure, decided: boolean): void;
  /** Waits only for what the collector asked for. */
  hurry(): void;
}

export function gate(): Gate {
  let shut = false;
  let deciding = false;
  let probeAt = 0;
  let askedUntil = 0;
  let why: Failure | undefined;
  return {
    get opensAt() {
      if (!shut) return 0;
      return deciding ? Number.POSITIVE_INFINITY : probeAt;
    },
    get why() {
      return why;
    },
    enter() {
      deciding ||= shut;
      return shut;
    },
    open() {
      shut = false;
      deciding = false;
    },
    shut(waitMs, cause, decided) {
      const at = performance.now() + Math.min(waitMs, longestMs);
      if (cause.waitMs !== undefined) askedUntil = Math.max(askedUntil, at);
      // Those that were under way already when it was shut only tell what is known, unless they were told to wait longer.
      probeAt = Math.max(shut && !decided ? probeAt : at, askedUntil);
      shut = true;
      why = cause;
      if (decided) deciding = false;
    },
    hurry() {
      probeAt = askedUntil;
    },
  };
}
