import type { Exported } from "./trace-exporter.ts";

/** What happened to the spans so far, in spans; over all generations of the configuration. */
export interface ExportHealth {
  exported: number;
  failed: number;
  dropped: number;
  /** Waiting or being sent. */
  queued: number;
  /** Of these, what is encoded already. */
  queuedBytes: number;
  /** Failed and dropped spans by reason: `unavailable`, `queue_full`, ... */
  readonly lost: Record<string, number>;
  lastError?: { readonly at: string; readonly message: string };
  lastSuccessAt?: string;
}

export type Tell = (level: "warn" | "info", message: string) => void;

/** Counts spans, and says what went wrong: each kind of line at most every ten seconds, and none of the counts is left out. */
export interface Ledger {
  readonly health: ExportHealth;
  drop(spans: number, reason: "queue_full" | "queue_bytes"): void;
  settle(result: Exported): void;
  /** Says what has not been said yet. */
  flush(): void;
}

const everyMs = 10_000;

export function exportLedger(tell: Tell = () => {}): Ledger {
  const health: ExportHealth = {
    exported: 0,
    failed: 0,
    dropped: 0,
    queued: 0,
    queuedBytes: 0,
    lost: {},
  };
  let unreported = 0;
  let cause = "";
  let failing = false;
  const failures = seldom(() => {
    tell("warn", `Failed to export spans: ${cause} (${unreported} spans lost since the last such line)`);
    unreported = 0;
  });
  const recoveries = seldom(() => {
    if (!failing) tell("info", `Exporting spans again (${health.failed + health.dropped} spans lost so far)`);
  });
  let said = "";
  const warnings = seldom(() => tell("warn", `The collector took the spans and says: ${said}`));

  const lose = (spans: number, reason: string, why: string): void => {
    health.lost[reason] = (health.lost[reason] ?? 0) + spans;
    health.lastError = { at: new Date().toISOString(), message: why };
    unreported += spans;
    cause = why;
    failing = true;
    failures.ask();
  };
  return {
    health,
    drop(spans, reason) {
      health.dropped += spans;
      lose(spans, reason, "the queue is full: the collector takes less than is traced");
    },
    settle({ exported, failed, reason = "unknown", message }) {
      if (exported > 0) {
        health.exported += exported;
        health.lastSuccessAt = new Date().toISOString();
      }
      if (failed > 0) {
        health.failed += failed;
        lose(failed, reason, message ?? reason);
        return;
      }
      if (message !== undefined) {
        said = message;
        warnings.ask();
      }
      if (failing && exported > 0) {
        failing = false;
        recoveries.ask();
      }
    },
    flush() {
      for (const line of [failures, recoveries, warnings]) line.flush();
    },
  };
}

/**
 * Does something when asked, but once for all that ask in the same turn, and at most every ten seconds; who asks in
 * between is heard when these are over.
 */
function seldom(act: () => void): { ask(): void; flush(): void } {
  let last = Number.NEGATIVE_INFINITY;
  let pending: NodeJS.Timeout | undefined;
  const run = () => {
    clearTimeout(pending);
    pending = undefined;
    last = performance.now();
    act();
  };
  return {
    ask() {
      pending ??= setTimeout(run, Math.max(0, last + everyMs - performance.now())).unref();
    },
    flush() {
      if (pending) run();
    },
  };
}
