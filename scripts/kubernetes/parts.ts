import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { isExecutable } from "../lib/programs.ts";
import { type Build, etcdServer, goInstalled, kubernetesProgram } from "./build.ts";

const KUBERNETES = "1.36.3";
const ETCD = "3.6.14";
const KWOK = "0.8.0";
const KUBECONFORM = "0.7.0";

/** A program that `npm run test:kubernetes` needs. */
export type Part = {
  readonly name: string;
  readonly version: string;
  readonly build: Build;
  /** Whether one that was found will do; default: yes. */
  readonly serves?: (path: string) => boolean;
};

const kubernetes = (name: string): Part => ({
  name,
  version: KUBERNETES,
  build: kubernetesProgram(name, KUBERNETES),
});
const installed = (name: string, path: string, version: string): Part => ({
  name,
  version,
  build: goInstalled(name, path, version),
});

/** The Envoy Gateway with which the chart's `envoyGateway` values are tried. */
export const ENVOY_GATEWAY = "1.9.1";

export const PARTS = {
  etcd: { name: "etcd", version: ETCD, build: etcdServer(ETCD), serves: isNewEtcd },
  apiserver: kubernetes("kube-apiserver"),
  controllers: kubernetes("kube-controller-manager"),
  scheduler: kubernetes("kube-scheduler"),
  kubectl: kubernetes("kubectl"),
  // A kubelet that only says that containers run.
  kwok: installed("kwok", "sigs.k8s.io/kwok/cmd/kwok", KWOK),
  // Says what Envoy Gateway would make of its objects.
  egctl: installed("egctl", "github.com/envoyproxy/gateway/cmd/egctl", ENVOY_GATEWAY),
  kubeconform: installed("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform", KUBECONFORM),
} as const satisfies Record<string, Part>;

export type Programs = Readonly<Record<keyof typeof PARTS, string>>;

export const CACHE = join(import.meta.dirname, "..", "..", ".cache", "kubernetes");

export type EnsureOptions = { readonly env?: NodeJS.ProcessEnv; readonly cache?: string };

/** Paths of all parts; see `ensurePart`. Building all of them takes 10 to 20 minutes on two cores. */
export function ensureParts(log: (line: string) => void, options: EnsureOptions = {}): Programs {
  const found = Object.entries(PARTS).map(([key, part]) => [key, ensurePart(part, log, options)]);
  return Object.fromEntries(found) as Programs;
}

/**
 * Path of an executable: in the folder KUBE_BIN_DIR, else on the PATH, else made once, into the cache. Errors are one
 * line that names the remedy.
 */
export function ensurePart(
  part: Part,
  log: (line: string) => void,
  { env = process.env, cache = CACHE }: EnsureOptions = {},
): string {
  const folders = [env.KUBE_BIN_DIR ?? "", ...(env.PATH ?? "").split(delimiter)].filter(Boolean);
  const found = folders
    .map((folder) => join(folder, part.name))
    .find((path) => isExecutable(path) && (part.serves?.(path) ?? true));
  if (found) return found;
  const home = join(cache, `${part.name}-${part.version}`);
  const binary = join(home, part.name);
  if (isExecutable(binary)) return binary;

  log(`making ${part.name} ${part.version} (first run only, some minutes)...`);
  mkdirSync(home, { recursive: true });
  const work = mkdtempSync(join(cache, "build-"));
  try {
    const remedy = `or put ${part.name} into the folder that KUBE_BIN_DIR names`;
    // A rename is atomic: of two builds at once the last one wins and nobody sees half a file.
    renameSync(part.build(work, env, remedy), binary);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return binary;
}

/** Before 3.5.13 it lacks what today's clients begin each watch with; they then repeat it after ever longer pauses. */
function isNewEtcd(path: string): boolean {
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
  const [, minor, patch] = /Version: 3\.(\d+)\.(\d+)/.exec(stdout ?? "") ?? [];
  return Number(minor) > 5 || (Number(minor) === 5 && Number(patch) >= 13);
}
