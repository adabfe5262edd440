import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ: fixed at 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Fields of /proc/PID/stat after the name, which may itself hold spaces: [0] is the state, [1] the parent. */
function statOf(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** CPU time of a process, all threads, in µs; NaN where the system does not tell. */
export function cpuMicros(pid: number): number {
  let nanos = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      nanos += Number(read(`/proc/${pid}/task/${thread}/schedstat`)?.split(" ")[0] ?? Number.NaN);
  } catch {
    return Number.NaN;
  }
  if (Number.isFinite(nanos)) return nanos / 1000;
  const stat = statOf(pid);
  return stat ? ((Number(stat[11]) + Number(stat[12])) * 1e6) / ticksPerSecond : Number.NaN;
}

/** Resident memory in MB; NaN where the system does not tell. */
export function residentMb(pid: number): number {
  const kb = /VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`) ?? "")?.[1];
  return kb === undefined ? Number.NaN : Number(kb) / 1024;
}

export const childrenOf = (parent: number): number[] =>
  processes().filter((pid) => Number(statOf(pid)?.[1]) === parent);

const processes = (): number[] => {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
};

/** CPU ticks of this process and all it started, those that have ended included. */
function ownTicks(): number {
  const stats = new Map(processes().map((pid) => [pid, statOf(pid)]));
  const ours = new Set([process.pid]);
  for (let before = 0; before !== ours.size; ) {
    before = ours.size;
    for (const [pid, stat] of stats) if (stat && ours.has(Number(stat[1]))) ours.add(pid);
  }
  let ticks = 0;
  for (const pid of ours) {
    const stat = stats.get(pid);
    for (let field = 11; stat && field <= 14; field += 1) ticks += Number(stat[field]);
  }
  return ticks;
}

function machineTicks(): { busy: number; all: number } | undefined {
  const fields = read("/proc/stat")?.split("\n", 1)[0]?.trim().split(/\s+/).slice(1, 9).map(Number);
  if (!fields || fields.length < 8) return undefined;
  const all = fields.reduce((a, b) => a + b, 0);
  return { busy: all - fields[3]! - fields[4]!, all };
}

/** Above it a table says so: the reader should not trust its milliseconds. */
export const foreignLimit = 0.05;

/** What processes other than ours took of the machine's CPU while measurements ran. NaN where unknown. */
export class ForeignLoad {
  #foreign = 0;
  #all = 0;

  get share(): number {
    return this.#all === 0 ? Number.NaN : Math.max(0, this.#foreign / this.#all);
  }

  /** Adds the time of one measurement. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const [machine, own] = [machineTicks(), ownTicks()];
    const result = await work();
    const after = machineTicks();
    if (machine && after) {
      this.#foreign += after.busy - machine.busy - (ownTicks() - own);
      this.#all += after.all - machine.all;
    }
    return result;
  }
}
