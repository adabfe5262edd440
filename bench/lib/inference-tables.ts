import type { Served, Setup } from "../processes/inference.ts";
import { best, median, percentile } from "./stats.ts";
import { fixed, type Table } from "./table.ts";

/** What was measured of one setup at one length, round by round. */
export interface Rounds {
  readonly tokens: number;
  readonly setup: Setup;
  /** By number of clients. */
  readonly served: Map<number, Served[]>;
}

export const nameOf = ({ workers, threads }: Setup): string => `${workers} x ${threads}`;

const perSecond = (rounds: readonly Served[], of: (one: Served) => number): number =>
  median(rounds.map((one) => (one.ms.length * of(one)) / one.seconds));

/** Milliseconds, CPU and throughput by length, setup and number of clients. */
export function speedTable(all: readonly Rounds[], notes: readonly string[]): Table {
  const clients = [...(all[0]?.served.keys() ?? [])];
  return {
    title: "inference: one request, all four heads; workers x threads of each; tokens with their two marks",
    columns: [
      "",
      "windows",
      ...clients.flatMap((count) => [
        `${count === 1 ? "1 client" : `${count} clients`}: p50 ms`,
        "p99 ms",
        "CPU ms",
        "requests/s",
        "tokens/s",
      ]),
    ],
    rows: all.map(({ tokens, setup, served }) => [
      `${tokens} tokens, ${nameOf(setup)}`,
      fixed(median([...served.values()].flat().map((one) => one.windows))),
      ...clients.flatMap((count) => {
        const rounds = served.get(count) ?? [];
        const ms = rounds.flatMap((one) => one.ms);
        return [
          fixed(median(ms), 2),
          fixed(percentile(ms, 0.99), 2),
          fixed(best(rounds.map((one) => one.cpuMs)), 2),
          fixed(perSecond(rounds, () => 1)),
          fixed(perSecond(rounds, () => tokens)),
        ];
      }),
    ]),
    notes,
  };
}

/** One length, at half of what one worker can do. */
export interface Late {
  readonly tokens: number;
  readonly perSecond: number;
  /** p99.9 in ms of each round: with requests, and with the timers that would have sent them alone. */
  readonly busy: readonly number[];
  readonly idle: readonly number[];
}

const lateBarMs = 2;

export function latenessTable(all: readonly Late[], notes: readonly string[]): Table {
  const met = all.every(({ busy }) => median(busy) <= lateBarMs);
  return {
    title: "inference: lateness of the main thread's event loop at half load, p99.9 in ms, 1 x 1",
    columns: ["", "requests/s", "without requests", "with", "added"],
    rows: all.map(({ tokens, perSecond, busy, idle }) => [
      `${tokens} tokens`,
      fixed(perSecond),
      fixed(median(idle), 2),
      fixed(median(busy), 2),
      fixed(median(busy) - median(idle), 2),
    ]),
    notes: [
      `bar ${lateBarMs} ms with requests: ${met ? "met" : "NOT met"}; steps of a timer of 1 ms, less that millisecond`,
      ...notes,
    ],
  };
}
