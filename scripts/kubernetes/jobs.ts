import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Api } from "./api.ts";
import type { KubeObject } from "./kubectl.ts";
import { commandOf, type Files, layOutVolumes, type PodSpec } from "./pod.ts";

type Pod = KubeObject & {
  readonly spec: PodSpec & { nodeName?: string };
  readonly status: { phase?: string };
};

/**
 * Runs the pods of Jobs for real, as a node would: their ConfigMaps laid out, their container's program started, its
 * exit code told to the API server, and its last words as the reason. All other pods are only pretended to run.
 * @returns a function that ends it.
 */
export function runJobs(api: Api, envoy: string): () => void {
  const begun = new Set<string>();
  return api.watch<Pod>("/api/v1/pods?watch=1&resourceVersion=0", (pod) => {
    const uid = pod.metadata.uid ?? "";
    const isJob = pod.metadata.ownerReferences?.some(({ kind }) => kind === "Job");
    if (!isJob || !pod.spec.nodeName || pod.status.phase !== "Pending" || begun.has(uid)) return;
    begun.add(uid);
    runPod(api, pod, envoy).catch((error: unknown) => console.error(`pod ${pod.metadata.name}: ${error}`));
  });
}

async function runPod(api: Api, { metadata, spec }: Pod, envoy: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "job-"));
  const at = `/api/v1/namespaces/${metadata.namespace}`;
  try {
    const held = new Map<string, Files>();
    for (const [kind, name] of referenced(spec)) {
      const read = kind === "Secret" ? secretFiles : configMapFiles;
      held.set(`${kind} ${name}`, await read(api, at, name));
    }
    const lookup = (kind: string, name: string) => held.get(`${kind} ${name}`) ?? {};
    const place = {
      folder,
      ports: new Map<number, number>(),
      hosts: new Map<string, string>(),
      lookup,
      envoy,
    };
    layOutVolumes(spec, place);
    const statuses = [];
    for (const container of spec.containers) {
      const { code, said } = await start(commandOf(container, spec, place), folder);
      const terminated = {
        exitCode: code,
        reason: code === 0 ? "Completed" : "Error",
        message: said.slice(-2048),
      };
      const { name, image } = container;
      const ended = { name, image, imageID: "", ready: false, started: false, restartCount: 0 };
      statuses.push({ ...ended, state: { terminated } });
    }
    const failed = statuses.some(({ state }) => state.terminated.exitCode !== 0);
    const status = { phase: failed ? "Failed" : "Succeeded", containerStatuses: statuses };
    await api.call("PATCH", `${at}/pods/${metadata.name}/status`, { status });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(
  { program, args, env }: ReturnType<typeof commandOf>,
  cwd: string,
): Promise<{ code: number; said: string }> {
  return new Promise((resolve, reject) => {
    let said = "";
    // Nothing of this machine's environment, as in a container, but for what the program's own search needs.
    const child = spawn(program, args, { cwd, env: { PATH: process.env.PATH, ...env }, timeout: 60_000 });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    child.once("error", reject).once("close", (code) => resolve({ code: code ?? 137, said }));
  });
}

/** The ConfigMaps and Secrets that the pod's volumes and variables come from. */
function referenced({ volumes = [], containers }: PodSpec): (readonly ["ConfigMap" | "Secret", string])[] {
  const env = containers.flatMap((one) => one.env ?? []).map(({ valueFrom }) => valueFrom);
  const from = containers.flatMap((one) => one.envFrom ?? []);
  const maps = [
    ...volumes.map(({ configMap }) => configMap?.name),
    ...env.map((one) => one?.configMapKeyRef?.name),
    ...from.map(({ configMapRef }) => configMapRef?.name),
  ];
  const secrets = [
    ...volumes.map(({ secret }) => secret?.secretName),
    ...env.map((one) => one?.secretKeyRef?.name),
    ...from.map(({ secretRef }) => secretRef?.name),
  ];
  const named = (kind: "ConfigMap" | "Secret", names: readonly (string | undefined)[]) =>
    [...new Set(names)].flatMap((name) => (name === undefined ? [] : [[kind, name] as const]));
  return [...named("ConfigMap", maps), ...named("Secret", secrets)];
}

async function configMapFiles(api: Api, at: string, name: string): Promise<Files> {
  return (JSON.parse(await api.call("GET", `${at}/configmaps/${name}`)) as { data?: Files }).data ?? {};
}

async function secretFiles(api: Api, at: string, name: string): Promise<Files> {
  const { data } = JSON.parse(await api.call("GET", `${at}/secrets/${name}`)) as { data?: Files };
  return Object.fromEntries(
    Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text, "base64").toString()]),
  );
}
