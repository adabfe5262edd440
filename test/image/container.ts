import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { buildImage, type Image } from "../../scripts/image/build.ts";
import { firstProcess, intoRoom, type Room, roomEnv, roomMissing } from "../../scripts/image/room.ts";

/** A reason to skip when this machine cannot run the image's files; in CI that fails instead. */
export const containerMissing: string | false = (() => {
  if (!roomMissing) return false;
  if (process.env.CI) throw new Error(`the image was not started: ${roomMissing}`);
  process.stderr.write(`NOT RUN: the image was not started: ${roomMissing}\n`);
  return roomMissing;
})();

const graceMs = 30_000;

let built: Image | undefined;
/** The image of this checkout; built once, and again only where something that it is made of has changed. */
export function theImage(): Image {
  built ??= buildImage((line) => process.stderr.write(`${line}\n`));
  return built;
}

export interface ContainerOptions {
  /** Files of this machine, by their path inside. */
  readonly mounts?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** As `docker run --user`; default: the image's own. */
  readonly user?: string;
  /** Default: the image's own. */
  readonly entrypoint?: readonly string[];
  readonly workdir?: string;
}

export interface Container extends AsyncDisposable {
  /** Of process 1 of the container, as this machine sees it. */
  readonly pid: number;
  /** The first line of its output with that text, now or to come. */
  logs(text: string, withinMs?: number): Promise<string>;
  log(): string;
  /** Sends the signal to process 1, and after 30 s SIGKILL; its exit code, or how it was ended. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

const roomOf = ({ tree, settings }: Image, { mounts, env, user, workdir }: ContainerOptions): Room => ({
  tree,
  user: user ?? settings.user,
  workdir: workdir ?? settings.workdir,
  env: { ...settings.env, ...env },
  ...(mounts && { mounts }),
});

/** What `docker run --read-only --cap-drop ALL` would start: the image's entry point with these arguments. */
export async function startContainer(
  args: readonly string[],
  options: ContainerOptions = {},
  image = theImage(),
): Promise<Container> {
  const room = roomOf(image, options);
  const [file, ...rest] = intoRoom(room, [...(options.entrypoint ?? image.settings.entrypoint), ...args]);
  const child = spawn(file, rest, { env: roomEnv(room), stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on("line", (line) => lines.push(line));
  const log = () => lines.join("\n");
  const pid = await until(() => (child.pid === undefined ? undefined : firstProcess(child.pid)), 10_000, log);
  const guard = killAfterUs(pid);
  const stop = async (signal: NodeJS.Signals = "SIGTERM") => {
    const running = child.exitCode === null && child.signalCode === null;
    if (running) process.kill(pid, signal);
    const timer = setTimeout(() => process.kill(pid, "SIGKILL"), graceMs);
    const [code, by] = await ended;
    clearTimeout(timer);
    guard.kill("SIGKILL");
    return code ?? by ?? "";
  };
  return {
    pid,
    log,
    logs: (text, withinMs = 20_000) =>
      until(
        () => {
          const found = lines.find((line) => line.includes(text));
          const over = child.exitCode ?? child.signalCode;
          if (found === undefined && over !== null) throw new Error(`it ended with ${over}:\n${log()}`);
          return found;
        },
        withinMs,
        log,
      ),
    stop,
    [Symbol.asyncDispose]: async () => void (await stop("SIGKILL")),
  };
}

/** Runs one more command of the image to its end, as its health check or `docker run --rm` would. */
export function runInContainer(
  command: readonly string[],
  options: ContainerOptions = {},
  image = theImage(),
) {
  const room = roomOf(image, options);
  const [file, ...rest] = intoRoom(room, command);
  const { status, stdout, stderr } = spawnSync(file, rest, { env: roomEnv(room), encoding: "utf8" });
  return { status, stdout, stderr };
}

/** Process 1 must not outlive a test that is killed. */
function killAfterUs(pid: number): ChildProcess {
  const guard = spawn("/bin/sh", ["-c", `read -r _; kill -9 ${pid}`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  guard.unref();
  (guard.stdin as unknown as { unref?(): void }).unref?.();
  return guard;
}

async function until<T>(look: () => T | undefined, withinMs: number, log: () => string): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`still waiting after ${withinMs} ms:\n${log()}`);
    await sleep(10);
  }
}
