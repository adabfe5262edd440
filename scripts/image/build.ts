import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { baseOf } from "./bases.ts";
import { keep, openCache } from "./cache.ts";
import { below, openContext } from "./context.ts";
import { expand, readDockerfile, type Stage, type Step } from "./dockerfile.ts";
import { buildLayer, type Layer, type Site } from "./layer.ts";
import { initial, type Settings } from "./settings.ts";

// Carries out the steps of the Dockerfile without a container engine: the same commands, the same files, each stage in a
// clean folder of its own. What the last stage's folder then holds is what the image holds beside its base.
// node scripts/image/build.ts [amd64|arm64] says where that folder is, and how large.

export interface Image {
  /** The files of the last stage. */
  readonly tree: string;
  readonly settings: Settings;
  /** Of all files of the tree. */
  readonly bytes: number;
}

export interface BuildOptions {
  /** Docker's name of the architecture; default: this machine's. What the image itself runs can run for that one only. */
  readonly arch?: Architecture;
  /** As `--build-arg`. */
  readonly args?: Readonly<Record<string, string>>;
  /** The last stage to build; default: the last of the file. */
  readonly target?: string;
}

export type Architecture = "amd64" | "arm64";
export const hostArch: Architecture = process.arch === "arm64" ? "arm64" : "amd64";

const ROOT = join(import.meta.dirname, "..", "..");
const CACHE = join(ROOT, ".cache", "image");

/** Builds what the folder's Dockerfile and .dockerignore say. Throws with the output of the step that failed. */
export function buildImage(log: (line: string) => void, options: BuildOptions = {}, folder = ROOT): Image {
  const { args, stages } = readDockerfile(readFileSync(join(folder, "Dockerfile"), "utf8"));
  openCache(CACHE);
  const { arch = hostArch, target = stages.at(-1)!.name } = options;
  const given = new Map(Object.entries({ TARGETARCH: arch, ...options.args }));
  const global = new Map([...args.map(({ name, value = "" }) => [name, value] as const), ...given]);
  const context = openContext(folder);
  const done = new Map<string, Layer>();
  for (const stage of wanted(stages, target)) {
    const site = { context, cache: CACHE, given, stages: done, log };
    done.set(stage.name, buildStage(stage, expand(stage.from, global), site));
  }
  const { tree, settings } = done.get(target)!;
  return {
    tree,
    settings,
    bytes: below(tree, "").reduce((sum, file) => sum + lstatSync(join(tree, file)).size, 0),
  };
}

/** The stages that the target is made of. */
function wanted(stages: readonly Stage[], target: string): Stage[] {
  const names = new Set([target]);
  for (const { name, from, steps } of stages.toReversed()) {
    if (!names.has(name)) continue;
    names.add(from);
    for (const step of steps) if (step.kind === "copy" && step.from !== undefined) names.add(step.from);
  }
  return stages.filter(({ name }) => names.has(name));
}

function buildStage(stage: Stage, from: string, site: Site): Layer {
  let layer = site.stages.get(from) ?? bottom(from, site.cache);
  for (const steps of layersOf(stage.steps)) layer = buildLayer(stage.name, layer, steps, site);
  return layer;
}

/** What stands for an image that is not built here. */
function bottom(image: string, cache: string): Layer {
  const base = baseOf(image);
  const digest = createHash("sha256")
    .update(JSON.stringify([image, process.version, process.arch, howItIsDone()]))
    .digest("hex");
  const tree = keep(cache, `base-${digest.slice(0, 16)}`, (folder) => base.lay(folder));
  return { tree, digest, runsHere: base.runsHere, settings: initial };
}

/** A layer ends with each command: what it takes long to make need not be made again for a file that comes later. */
function layersOf(steps: readonly Step[]): Step[][] {
  const layers: Step[][] = [[]];
  for (const step of steps) {
    layers.at(-1)!.push(step);
    if (step.kind === "run") layers.push([]);
  }
  return layers.filter((layer) => layer.length > 0);
}

/** The sources of these scripts, but for those that are steps themselves or only look: others' layers are not used. */
const howItIsDone = (): string =>
  readdirSync(import.meta.dirname)
    .filter((name) => !["elf.ts", "prune.ts", "pypi.ts", "warm.ts"].includes(name))
    .sort()
    .map((name) => readFileSync(join(import.meta.dirname, name), "utf8"))
    .join("");

if (import.meta.main) {
  const [arch = hostArch] = process.argv.slice(2);
  const { tree, bytes } = buildImage((line) => console.error(line), { arch: arch as Architecture });
  console.log(`${tree}\n${(bytes / 1e6).toFixed(1)} MB beside the base image`);
}
