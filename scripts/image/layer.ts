import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import { pathWithNode } from "./bases.ts";
import { keep } from "./cache.ts";
import { type Context, digestOf } from "./context.ts";
import type { Step } from "./dockerfile.ts";
import { intoRoom, roomEnv } from "./room.ts";
import { type Settings, settingsAfter } from "./settings.ts";

/** The files of a stage as some of its steps leave them. */
export interface Layer {
  readonly tree: string;
  /** Of all that decides what the tree holds. */
  readonly digest: string;
  /** Whether its programs are those of this machine; else steps run in a room (room.ts). */
  readonly runsHere: boolean;
  readonly settings: Settings;
}

export interface Site {
  readonly context: Context;
  /** Layers are kept here by their digests, and used again. */
  readonly cache: string;
  /** Build arguments. */
  readonly given: ReadonlyMap<string, string>;
  /** Finished stages. */
  readonly stages: ReadonlyMap<string, Layer>;
  readonly log: (line: string) => void;
}

/** `parent` and the steps on top of it. Files that no step touches are the parent's, by hard links. */
export function buildLayer(name: string, parent: Layer, steps: readonly Step[], site: Site): Layer {
  let settings = parent.settings;
  const hash = createHash("sha256").update(parent.digest);
  const work: { step: Step; settings: Settings }[] = [];
  for (const step of steps) {
    settings = settingsAfter(settings, step, site.given);
    work.push({ step, settings });
    hash.update(JSON.stringify([step, [...settings.args]]));
    if (step.kind !== "copy") continue;
    const { from } = step;
    if (from !== undefined) hash.update(stageNamed(from, site).digest);
    else for (const source of step.sources) hash.update(digestOf(site.context, site.context.filesAt(source)));
  }
  const digest = hash.digest("hex");
  const tree = keep(site.cache, `${name}-${digest.slice(0, 16)}`, (folder) => {
    link(parent.tree, folder);
    for (const { step, settings } of work) {
      if (step.kind === "workdir") mkdirSync(join(folder, settings.workdir), { recursive: true });
      if (step.kind === "copy") copy(step, folder, settings, site);
      if (step.kind === "run") run(step, folder, settings, parent.runsHere, site.log);
    }
  });
  return { tree, digest, runsHere: parent.runsHere, settings };
}

export function stageNamed(name: string, { stages }: Pick<Site, "stages">): Layer {
  const stage = stages.get(name);
  if (stage === undefined) throw new Error(`there is no stage ${name} above`);
  return stage;
}

function copy(step: Extract<Step, { kind: "copy" }>, folder: string, settings: Settings, site: Site): void {
  const { from, owner } = step;
  const to = posix.resolve(settings.workdir, step.to);
  const intoFolder = step.to.endsWith("/") || step.to === ".";
  if (step.sources.length > 1 && !intoFolder)
    throw new Error(`COPY: several files need a folder: ${step.to}/`);
  const put = (file: string, target: string): void => {
    mkdirSync(dirname(target), { recursive: true });
    // Never into what is there: it may be another layer's file.
    rmSync(target, { force: true });
    copyFileSync(file, target);
    chmodSync(target, lstatSync(file).mode & 0o777);
  };
  for (const source of step.sources) {
    if (from === undefined) {
      for (const file of site.context.filesAt(source)) {
        const rest = file === source ? (intoFolder ? basename(file) : "") : file.slice(source.length + 1);
        put(join(site.context.folder, file), join(folder, to, rest));
      }
      continue;
    }
    const origin = join(stageNamed(from, site).tree, source);
    const target = join(folder, to, intoFolder && !lstatSync(origin).isDirectory() ? basename(source) : "");
    mkdirSync(dirname(target), { recursive: true });
    if (lstatSync(origin).isDirectory() && owner === undefined) link(origin, target);
    else if (owner === undefined) command("cp", ["-l", origin, target]);
    else {
      command("cp", ["-r", "--preserve=mode,timestamps", origin, target]);
      if (process.getuid?.() === 0) command("chown", ["-R", owner, target]);
    }
  }
}

/** The contents of a folder, as links to the same files. */
function link(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  if (readdirSync(from).length > 0) command("cp", ["-al", `${from}/.`, to]);
}

function run(
  { command: line }: Extract<Step, { kind: "run" }>,
  folder: string,
  { args, env, ...settings }: Settings,
  runsHere: boolean,
  log: Site["log"],
): void {
  const words = "exec" in line ? line.exec : ["/bin/sh", "-c", line.shell];
  log(`RUN ${"exec" in line ? line.exec.join(" ") : line.shell}`);
  const own = { ...env, ...Object.fromEntries(args) };
  if (runsHere) {
    // Under `npm test` npm's own variables would lead it to this checkout.
    const outer = Object.entries(process.env).filter(
      ([name]) => !/^(?:npm_|INIT_CWD$|NODE_OPTIONS$|NODE_TEST_CONTEXT$)/.test(name),
    );
    const [file = "", ...rest] = words;
    command(file, rest, {
      cwd: join(folder, settings.workdir),
      env: { ...Object.fromEntries(outer), PATH: pathWithNode(), ...own },
    });
    return;
  }
  const room = { tree: folder, ...settings, env: own, writable: true };
  const [file, ...rest] = intoRoom(room, words);
  command(file, rest, { env: roomEnv(room) });
}

function command(
  file: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): void {
  const done = spawnSync(file, args, { ...options, encoding: "utf8", maxBuffer: 64 << 20 });
  if (done.status === 0) return;
  const said = `${done.error?.message ?? ""}${done.stdout ?? ""}${done.stderr ?? ""}`.trim().slice(-4_000);
  throw new Error(
    `${[file, ...args.slice(0, 4)].join(" ")} ended with ${done.signal ?? done.status}:\n${said}`,
  );
}
