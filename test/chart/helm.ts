import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { CHART } from "../../scripts/chart/files.ts";
import { ensureHelm } from "../../scripts/helm-binary.ts";
import { repoRoot } from "../support/repo.ts";

/** An object as the API server would get it. Tests look into it freely. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly spec?: Tree;
  readonly data?: Record<string, string>;
  readonly [key: string]: unknown;
}
/** Parsed YAML whose shape the test knows. */
export type Tree = { readonly [key: string]: Tree } & readonly Tree[] & string;

export interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const [binary, reason] = find();
/** A reason to skip when this machine cannot have a Helm; in CI a missing part fails instead. */
export const helmMissing: string | false = reason;

function find(): [binary: string, missing: string | false] {
  try {
    return [ensureHelm((line) => process.stderr.write(`${line}\n`)), false];
  } catch (error) {
    if (process.env.CI) throw error;
    const message = (error as Error).message;
    process.stderr.write(`tests of the chart are skipped: ${message}\n`);
    return ["helm", message];
  }
}

export function helm(...args: readonly string[]): Answer {
  // No settings, plugins or cluster of whoever runs the tests.
  const folder = mkdtempSync(join(tmpdir(), "helm-"));
  const env = { ...process.env, HELM_CONFIG_HOME: folder, HELM_CACHE_HOME: folder, HELM_DATA_HOME: folder };
  try {
    return spawnSync(binary, args, {
      cwd: repoRoot,
      encoding: "utf8",
      env: { ...env, KUBECONFIG: join(folder, "none") },
      maxBuffer: 1 << 28,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The oldest Kubernetes that the chart is for; a Helm built from source takes itself for older. */
export const KUBERNETES = "1.30.0";

const rendered = new Map<string, Answer>();

/** `helm template` with the given values; the same question is asked once only. */
export function template(values: object, ...options: readonly string[]): Answer {
  const key = JSON.stringify([values, options]);
  const known = rendered.get(key);
  if (known) return known;
  const folder = mkdtempSync(join(tmpdir(), "values-"));
  const file = join(folder, "values.yaml");
  writeFileSync(file, JSON.stringify(values));
  const version = ["--kube-version", KUBERNETES];
  try {
    const answer = helm("template", "demo", CHART, "-n", "prod", "-f", file, ...version, ...options);
    rendered.set(key, answer);
    return answer;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The objects that these values install, hooks included. Throws what Helm says where they install nothing. */
export function objects(values: object): KubernetesObject[] {
  const { status, stdout, stderr } = template(values);
  if (status !== 0) throw new Error(stderr);
  return parse(stdout);
}

/** As Kubernetes reads it: in YAML 1.1, where a bare `on` is no text. */
export function parse(text: string): KubernetesObject[] {
  return parseAllDocuments(text, { version: "1.1" }).flatMap((doc) => {
    if (doc.errors?.[0]) throw doc.errors[0];
    const value = (doc as { toJS(): unknown }).toJS() as KubernetesObject | null;
    return value === null ? [] : [value];
  });
}

/** The one object of that kind, and of that name where several are. */
export function only(all: readonly KubernetesObject[], kind: string, name?: string): KubernetesObject {
  const found = all.filter((one) => one.kind === kind && (name === undefined || one.metadata.name === name));
  if (found.length !== 1)
    throw new Error(`${found.length} objects are a ${kind} ${name ?? ""}: ${all.map((one) => one.kind)}`);
  return found[0]!;
}

/** What brings pods. */
export const workloads = (all: readonly KubernetesObject[]) =>
  all.filter(({ kind }) => kind === "Deployment" || kind === "Job");
/** The pods' template. */
export const podOf = (one: KubernetesObject) => one.spec!.template!;
/** All containers of its pods, sidecars included. */
export const containersOf = (one: KubernetesObject): readonly Tree[] => {
  const spec = podOf(one).spec!;
  return [...(spec.initContainers ?? []), ...spec.containers!];
};
/** The processor's container. */
export const routerOf = (all: readonly KubernetesObject[]) =>
  all
    .flatMap((one) => (one.kind === "Deployment" ? containersOf(one) : []))
    .find(({ name }) => name === "router")!;

export const modes = ["sidecar", "standalone", "gateway"] as const;

/** Values with one key set, by its path. */
export function withValue(values: object, path: string, value: unknown): object {
  const result = structuredClone(values) as Record<string, unknown>;
  const keys = path.split(".");
  const last = keys.pop()!;
  let at = result;
  for (const key of keys) {
    at[key] ??= {};
    at = at[key] as Record<string, unknown>;
  }
  at[last] = value;
  return result;
}
