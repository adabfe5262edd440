import { fileURLToPath } from "node:url";
import { type Child, startChild } from "../../scripts/lib/child.ts";
import { pinning } from "./machine.ts";

/** One of our helper processes: asked by name, answering once. */
export interface Role extends AsyncDisposable {
  readonly pid: number;
  ask<T>(name: string, argument?: unknown): Promise<T>;
  stop(): Promise<void>;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

export interface Pinned {
  /** Keep the process on this core. */
  readonly core?: number;
  readonly nodeArgs?: readonly string[];
}

/** Starts `bench/processes/NAME.ts` as a process of its own. */
export async function startRole(name: string, { core, nodeArgs = [] }: Pinned = {}): Promise<Role> {
  const file = fileURLToPath(new URL(`../processes/${name}.ts`, import.meta.url));
  const [command, args] = onCore(core, process.execPath, [
    "--disable-warning=ExperimentalWarning",
    ...nodeArgs,
    file,
  ]);
  const child = startChild(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let asked = 0;
  child.process.on("message", ({ id, value, error }: Answer) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) one?.resolve(value);
    else one?.reject(new Error(`${name}: ${error}`));
  });
  void child.ended.then((how) => {
    for (const one of waiting.values()) one.reject(new Error(`${name} ${how}`));
  });
  const ask = <T>(what: string, argument?: unknown): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      asked += 1;
      waiting.set(asked, { resolve: resolve as (value: unknown) => void, reject });
      child.process.send({ id: asked, name: what, argument });
    });
  await ask("ready");
  return { pid: pidOf(child), ask, stop: () => child.stop(), [Symbol.asyncDispose]: () => child.stop() };
}

/** The command that runs another one on a core only, where the system can. */
export function onCore(
  core: number | undefined,
  command: string,
  args: readonly string[],
): [string, readonly string[]] {
  if (core === undefined || !pinning) return [command, args];
  return ["taskset", ["-c", String(core), command, ...args]];
}

export function pidOf({ process: { pid } }: Child): number {
  if (pid === undefined) throw new Error("a process could not be started");
  return pid;
}

/** The helper's side: answers the questions of the process that started it. */
export function answerParent(answers: Record<string, (argument: never) => unknown>): void {
  process.on("message", (message: { id: number; name: string; argument: never }) => {
    const { id, name, argument } = message;
    void (async () => (name === "ready" ? true : await answers[name]?.(argument)))().then(
      (value) => process.send?.({ id, value }),
      (error: Error) => process.send?.({ id, error: error.stack ?? error.message }),
    );
  });
  process.on("disconnect", () => process.exit(0));
}
