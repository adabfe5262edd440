import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";

/** A started program and the one way to end it. */
export type Child = {
  readonly process: ChildProcess;
  /** Resolves with a short phrase when the program has ended, for whatever reason. */
  readonly ended: Promise<string>;
  /** Ends it (SIGTERM, then SIGKILL after `graceMs`) and waits for it. */
  stop(graceMs?: number): Promise<void>;
};

/**
 * Starts a program that cannot outlive us. A parent killed with SIGKILL runs no exit handler, so a tiny shell waits on
 * a pipe that only closes when we are gone, and then ends the program.
 */
export function startChild(command: string, args: readonly string[], options: SpawnOptions = {}): Child {
  const child = spawn(command, args, options);
  let running = true;
  const kill = (): void => {
    if (running) child.kill("SIGKILL");
  };
  const watchdog = child.pid === undefined ? undefined : watch(child.pid);
  process.once("exit", kill);

  const ended = new Promise<string>((resolve) => {
    const done = (how: string): void => {
      running = false;
      process.removeListener("exit", kill);
      watchdog?.kill("SIGKILL");
      resolve(how);
    };
    child.once("error", (error) => done(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) =>
      done(signal ? `was ended by ${signal}` : `ended with exit code ${code}`),
    );
  });

  return {
    process: child,
    ended,
    async stop(graceMs = 1_500) {
      if (!running) return;
      child.kill("SIGTERM");
      const timer = setTimeout(kill, graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

function watch(pid: number): ChildProcess {
  // Its own session: Ctrl-C in the terminal must reach the program, not the one who guards it.
  const shell = spawn("/bin/sh", ["-c", `read -r _; kill -9 ${pid}`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  shell.on("error", () => {});
  shell.stdin?.on("error", () => {});
  shell.unref();
  // The pipe alone must not keep our event loop alive either.
  (shell.stdin as unknown as { unref?(): void } | null)?.unref?.();
  return shell;
}
