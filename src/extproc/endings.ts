import type { LogEntry } from "./access-log.ts";

/** An exchange whose entry in Envoy's access log is expected. */
export interface Expected {
  /** The stream has ended. `settle` is called once: with the entry, or without one when it does not come in time. */
  ended(settle: (entry: LogEntry | undefined) => void): void;
}

/**
 * Joins exchanges with their entries in Envoy's access log, by `x-request-id`. The two come on different streams, in
 * any order, and one of them may never come. Only exchanges are held, so what is held is bounded by those under way
 * and `mostWaiting`; an entry that fits none is counted and forgotten.
 */
export interface Endings {
  /** @param startMs when its first message came, in milliseconds since the epoch. */
  expect(requestId: string, startMs: number): Expected;
  heard(entry: LogEntry): void;
  logOpened(): void;
  logClosed(): void;
  /** Lets nothing wait any longer, now and from now on. */
  settleAll(): void;
  /** What is held, and what could not be joined. */
  readonly counts: { readonly waiting: number; readonly expected: number; readonly unmatched: number };
}

/** Ended exchanges that wait for their entry. */
const mostWaiting = 4096;
/** Exchanges under way with the same id; further ones are told by their stream alone. */
const mostOfOneId = 64;
/** Envoy opens its log with the first entry, so the first exchanges wait without knowing whether there is one. */
const probes = 64;
const probeMs = 250;

interface Held {
  readonly requestId: string;
  readonly startMs: number;
  entry: LogEntry | undefined;
  settle: ((entry: LogEntry | undefined) => void) | undefined;
  deadlineMs: number;
}

/** @param waitMs longest time that an exchange which has ended waits for its entry; 0: none waits. */
export function joinEndings(waitMs: () => number): Endings {
  const byId = new Map<string, Held[]>();
  /** In the order in which they ended. */
  const waiting = new Set<Held>();
  let logs = 0;
  let probed = 0;
  let unmatched = 0;
  let over = false;
  let timer: NodeJS.Timeout | undefined;

  const forget = (held: Held): void => {
    waiting.delete(held);
    const same = byId.get(held.requestId);
    if (!same || same.length === 1) byId.delete(held.requestId);
    else same.splice(same.indexOf(held), 1);
  };
  const settle = (held: Held): void => {
    forget(held);
    held.settle?.(held.entry);
  };
  const expire = (): void => {
    timer = undefined;
    const at = performance.now();
    for (const held of waiting) {
      if (held.deadlineMs > at) break;
      settle(held);
    }
    watch();
  };
  const watch = (): void => {
    const [next] = waiting;
    if (next && !timer) {
      timer = setTimeout(expire, Math.max(1, next.deadlineMs - performance.now())).unref();
    }
  };
  /** How long to wait now: in full while a log is open, briefly and not for ever where none has been seen. */
  const patienceMs = (): number => {
    if (over || logs > 0) return over ? 0 : waitMs();
    if (probed >= probes) return 0;
    probed += 1;
    return Math.min(probeMs, waitMs());
  };

  return {
    expect(requestId, startMs) {
      const held: Held = { requestId, startMs, entry: undefined, settle: undefined, deadlineMs: 0 };
      const same = byId.get(requestId);
      if (!same) byId.set(requestId, [held]);
      else if (same.length < mostOfOneId) same.push(held);
      else return { ended: (done) => done(undefined) };
      return {
        ended(done) {
          if (held.settle) return;
          held.settle = done;
          const patience = held.entry ? 0 : patienceMs();
          if (patience === 0) return settle(held);
          held.deadlineMs = performance.now() + patience;
          waiting.add(held);
          const [oldest] = waiting;
          if (waiting.size > mostWaiting && oldest) settle(oldest);
          watch();
        },
      };
    },
    heard(entry) {
      // A client may use one id twice: the exchange that began when Envoy says is the one.
      const found = byId
        .get(entry.requestId)
        ?.filter((held) => !held.entry)
        .reduce<Held | undefined>(
          (best, held) => (best && apart(best, entry) <= apart(held, entry) ? best : held),
          undefined,
        );
      if (!found) {
        unmatched += 1;
        return;
      }
      found.entry = entry;
      if (found.settle) settle(found);
    },
    logOpened() {
      logs += 1;
      probed = 0;
    },
    logClosed() {
      logs -= 1;
    },
    settleAll() {
      over = true;
      clearTimeout(timer);
      for (const held of [...waiting]) settle(held);
    },
    get counts() {
      return { waiting: waiting.size, expected: byId.size, unmatched };
    },
  };
}

const apart = (held: Held, entry: LogEntry): number => Math.abs(held.startMs - entry.startMs);
