import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import {
  getObject,
  type KubeObject,
  must,
  type Ran,
  type Runner,
  runner,
} from "../../scripts/kubernetes/kubectl.ts";
import type { PodSpec } from "../../scripts/kubernetes/pod.ts";
import { writeSchemas } from "../../scripts/kubernetes/schemas.ts";
import { repoRoot } from "../support/repo.ts";

/** The parts that `npm run test:kubernetes` has started. */
function part(variable: string): string {
  const value = process.env[variable];
  if (!value) throw new Error(`${variable} is not set: these tests run by npm run test:kubernetes`);
  return value;
}

part("KUBECONFIG");
export const kubectl: Runner = runner(part("KUBECTL_BIN"), process.env);
export const definitions = part("GATEWAY_DEFINITIONS");
const inTheCluster = runner(part("HELM_BIN"), process.env);
export const egctl = runner(part("EGCTL_BIN"), process.env);
const kubeconform = runner(part("KUBECONFORM_BIN"), process.env);

export const CHART = join(repoRoot, "helm", "semantic-router");
export const valuesFile = (name: string): string => join(import.meta.dirname, "values", `${name}.yaml`);

export const MODES = ["sidecar", "standalone", "gateway"] as const;
export type Mode = (typeof MODES)[number];

export type Deployment = KubeObject & {
  readonly spec: { readonly template: { readonly metadata: KubeObject["metadata"]; readonly spec: PodSpec } };
  readonly status: { readonly readyReplicas?: number };
};
export type ConfigMap = KubeObject & { readonly data: Readonly<Record<string, string>> };

/** A namespace that admits only pods of the standard "restricted", for one file's tests. */
export function restrictedNamespace(name: string) {
  const labels = ["enforce", "warn"].map((mode) => `pod-security.kubernetes.io/${mode}=restricted`);
  must(kubectl, ["create", "namespace", name]);
  must(kubectl, ["label", "namespace", name, ...labels]);
  after(() => {
    kubectl(["delete", "namespace", name, "--wait=false"]);
  });
  const here = ["-n", name];
  const helm: Runner = (args) => inTheCluster([...args, ...here]);
  return {
    name,
    helm,
    /** `helm install` and `helm upgrade` wait for pods to be ready, which the pretended node's are at once. */
    apply: (verb: "install" | "upgrade", release: string, ...args: readonly string[]): Ran =>
      helm([verb, release, CHART, "--wait", "--timeout", "60s", ...args]),
    kubectl: ((args, input) => kubectl([...args, ...here], input)) as Runner,
    get: <T extends KubeObject>(kind: string, object: string): T => {
      const found = getObject<T>(kubectl, kind, object, name);
      if (!found) throw new Error(`there is no ${kind} ${object} in ${name}`);
      return found;
    },
    list: <T extends KubeObject>(kind: string, ...args: readonly string[]): T[] =>
      (JSON.parse(must(kubectl, ["get", kind, "-o", "json", ...args, ...here])) as { items: T[] }).items,
  };
}
export type Namespace = ReturnType<typeof restrictedNamespace>;

/** Everything in the namespace that neither Kubernetes itself nor `prerequisites` has put there, as KIND/NAME. */
export async function leftIn({ name }: Namespace, prerequisites: readonly string[] = []): Promise<string[]> {
  const kinds = must(kubectl, ["api-resources", "--verbs=list,delete", "--namespaced", "-o", "name"])
    .trim()
    .split("\n")
    .filter((kind) => !/^(events|leases|podmetrics)\b|localsubjectaccess/.test(kind));
  const expected = new Set(["serviceaccount/default", "configmap/kube-root-ca.crt", ...prerequisites]);
  const look = () =>
    must(kubectl, ["get", kinds.join(","), "-n", name, "-o", "name", "--ignore-not-found"])
      .split("\n")
      .filter((line) => line !== "" && !expected.has(line));
  // What belonged to a deleted object goes a moment later.
  const deadline = Date.now() + 30_000;
  for (;;) {
    const left = look();
    if (left.length === 0 || Date.now() > deadline) return left;
    await sleep(200);
  }
}

export function template(...args: readonly string[]): { text: string; objects: KubeObject[] } {
  // A Helm that was built without its release's stamp takes itself for one of Kubernetes 1.20.
  const text = must(inTheCluster, ["template", "router", CHART, "--kube-version", "1.36", ...args]);
  return { text, objects: objectsIn(text) };
}

export const objectsIn = (text: string): KubeObject[] =>
  parseAllDocuments(text)
    .map((doc) => doc.toJS() as KubeObject | null)
    .filter((object) => object !== null);

const schemaFolder = mkdtempSync(join(tmpdir(), "schemas-"));
after(() => rmSync(schemaFolder, { recursive: true, force: true }));
let schemas: string | undefined;

/** What kubeconform finds wrong, by the API server's own schemas, unknown keys included. */
export function faultsOf(manifests: string): string {
  schemas ??= writeSchemas(must(kubectl, ["get", "--raw", "/openapi/v2"]), schemaFolder);
  const { status, stdout, stderr } = kubeconform(
    ["-strict", "-summary", "-schema-location", schemas, "-"],
    manifests,
  );
  return status === 0 ? "" : `${stdout}${stderr}`;
}
