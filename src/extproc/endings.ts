import type { LogEntry } from "./access-log.ts";

/** An exchange whose entry in Envoy's access log is expected. */
export interface Expected {
  /**
   * The stream has ended. `settle` is called once: with the entry, or without one when it does not come in time.
   * `long`: the exchange itself goes on beyond its stream, so its entry is waited for as long as there is a log.
   */
  ended(settle: Settle, long?: boolean): void;
}

/** `lost`: there is no entry, and the connection on which it would have come is gone. */
type Settle = (entry: LogEntry | undefined, lost: boolean) => void;

/** What an exchange is known by on both streams. */
export interface Identity {
  readonly requestId: string;
  /** `request.time`: when Envoy began, by its clock, in microseconds since the epoch; as the log has it. */
  readonly startUs: number | undefined;
  /** When its first message came, in milliseconds since the epoch, for Envoys that do not tell the former. */
  readonly heardMs: number;
}

/**
 * Joins exchanges with their entries in Envoy's access log: by `x-request-id`, which clients may use more than once, and
 * Envoy's start time, which makes it unique. The two come on different streams, in any order, and one may never come.
 * Everything held is bounded; what goes over the bound closes on what its stream said.
 */
export interface Endings {
  expect(identity: Identity): Expected;
  heard(entry: LogEntry): void;
  logOpened(): void;
  logClosed(): void;
  /** Lets nothing wait any longer, now and from now on. */
  settleAll(): void;
  /** What is held, and the entries that found no exchange so far (those that are not sampled among them). */
  readonly counts: { readonly waiting: number; readonly expected: number; readonly unclaimed: number };
}

/** Ended exchanges that wait for their entry. */
const mostWaiting = 4096;
/** Exchanges that go on beyond their stream, such as WebSockets. */
const mostLong = 1024;
/** Entries whose exchange has not been heard of: of a client that left at once the log may be faster than the stream. */
const mostEarly = 1024;
/** Characters. A client chooses its id, and a thousand long ones would take a hundred megabytes. */
const longestEarlyId = 256;
/** Envoy opens its log with the first entry, so at first, and after a log has closed, nobody knows whether there is one. */
const probingMs = 2000;
const probeMs = 250;
/** Without `request.time`: how far apart the two starts may be. */
const toleranceMs = 250;
/** Without `request.time`: exchanges under way with the same id; further ones are told by their stream alone. */
const mostOfOneId = 64;

interface Held {
  readonly identity: Identity;
  entry: LogEntry | undefined;
  settle: Settle | undefined;
  deadlineMs: number;
}

const keyOf = (requestId: string, startUs: number): string => `${startUs} ${requestId}`;

/**
 * @param waitMs longest time that an exchange which has ended waits for its entry; 0: none waits.
 * @param missed told once, where exchanges have ended and no log has come.
 */
export function joinEndings(waitMs: () => number, missed: () => void = () => {}): Endings {
  const byKey = new Map<string, Held>();
  const byId = new Map<string, Held[]>();
  const early = new Map<string, LogEntry>();
  /** In the order in which they ended. */
  const waiting = new Set<Held>();
  const long = new Set<Held>();
  let logs = 0;
  let logClosedAt = Number.NEGATIVE_INFINITY;
  let probingUntil: number | undefined;
  let over = false;
  let everOpened = false;
  let told = false;
  let timer: NodeJS.Timeout | undefined;

  const hold = (held: Held): boolean => {
    const { requestId, startUs } = held.identity;
    if (startUs !== undefined) {
      const key = keyOf(requestId, startUs);
      held.entry = early.get(key);
      early.delete(key);
      byKey.set(key, held);
      return true;
    }
    const same = byId.get(requestId);
    if (!same) byId.set(requestId, [held]);
    else if (same.length < mostOfOneId) same.push(held);
    else return false;
    return true;
  };
  const forget = (held: Held): void => {
    waiting.delete(held);
    long.delete(held);
    const { requestId, startUs } = held.identity;
    if (startUs !== undefined) {
      const key = keyOf(requestId, startUs);
      // Two ext_proc filters in one chain make two exchanges of one request.
      if (byKey.get(key) === held) byKey.delete(key);
      return;
    }
    const same = byId.get(requestId);
    if (!same || same.length === 1) byId.delete(requestId);
    else same.splice(same.indexOf(held), 1);
  };
  const settle = (held: Held): void => {
    forget(held);
    const lost = held.entry === undefined && logClosedAt >= held.deadlineMs - waitMs() - probeMs;
    held.settle?.(held.entry, lost);
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
    if (next && !timer) timer = setTimeout(expire, Math.max(1, next.deadlineMs - performance.now())).unref();
  };
  const within = (most: number, all: Set<Held>): void => {
    const [oldest] = all;
    if (all.size > most && oldest) settle(oldest);
  };
  /** How long to wait now: in full while a log is open, briefly where one may yet open, else not at all. */
  const patienceMs = (at: number): number => {
    if (over) return 0;
    if (logs > 0) return waitMs();
    probingUntil ??= at + probingMs;
    if (at <= probingUntil) return Math.min(probeMs, waitMs());
    if (!everOpened && !told) {
      told = true;
      missed();
    }
    return 0;
  };

  return {
    expect(identity) {
      const held: Held = { identity, entry: undefined, settle: undefined, deadlineMs: 0 };
      if (!hold(held)) return { ended: (done) => done(undefined, false) };
      return {
        ended(done, isLong = false) {
          if (held.settle) return;
          held.settle = done;
          const at = performance.now();
          const patience = held.entry ? 0 : patienceMs(at);
          held.deadlineMs = at + patience;
          if (patience === 0) return settle(held);
          if (isLong && logs > 0) {
            long.add(held);
            within(mostLong, long);
            return;
          }
          waiting.add(held);
          within(mostWaiting, waiting);
          watch();
        },
      };
    },
    heard(entry) {
      const key = keyOf(entry.requestId, entry.startUs);
      const found = byKey.get(key) ?? nearest(byId.get(entry.requestId), entry);
      if (!found) {
        if (entry.requestId.length > longestEarlyId) return;
        early.set(key, entry);
        const [oldest] = early.keys();
        if (early.size > mostEarly && oldest !== undefined) early.delete(oldest);
      } else if (!found.entry) {
        found.entry = entry;
        if (found.settle) settle(found);
      }
    },
    logOpened() {
      logs += 1;
      everOpened = true;
    },
    logClosed() {
      logs -= 1;
      logClosedAt = performance.now();
      probingUntil = undefined;
      if (logs > 0) return;
      for (const held of [...long]) {
        held.deadlineMs = logClosedAt;
        settle(held);
      }
    },
    settleAll() {
      over = true;
      clearTimeout(timer);
      for (const held of [...waiting, ...long]) settle(held);
    },
    get counts() {
      return { waiting: waiting.size, expected: byKey.size + byId.size, unclaimed: early.size };
    },
  };
}

function nearest(candidates: readonly Held[] | undefined, entry: LogEntry): Held | undefined {
  let best: Held | undefined;
  let least = toleranceMs;
  for (const held of candidates ?? []) {
    const apart = Math.abs(held.identity.heardMs - entry.startUs / 1000);
    if (held.entry || apart > least) continue;
    best = held;
    least = apart;
  }
  return best;
}
