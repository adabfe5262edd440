import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import { ensureEnvoy } from "../../scripts/envoy-binary.ts";
import { ensureHelm } from "../../scripts/helm-binary.ts";
import { must, runner } from "../../scripts/kubernetes/kubectl.ts";
import {
  type Command,
  type Container,
  commandOf,
  execOf,
  type Files,
  layOutVolumes,
  type Place,
  type PodSpec,
} from "../../scripts/kubernetes/pod.ts";
import { type Child, startChild } from "../../scripts/lib/child.ts";
import { freePorts } from "../support/ports.ts";
import { repoRoot } from "../support/repo.ts";

const CHART = join(repoRoot, "helm", "semantic-router");
const START_LIMIT_MS = 20_000;

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Files;
  readonly spec?: { readonly template?: { readonly spec: PodSpec } };
}

/** A container as a process on this machine. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  readonly ended: Promise<string>;
  /** Everything on its two outputs so far. */
  log(): string;
  logs(text: string, from?: number): Promise<void>;
  stop(graceMs?: number): Promise<void>;
}

/** The chart's pods on this machine: its ConfigMaps mounted, its containers' commands started, their ports translated. */
export interface Release extends AsyncDisposable {
  /** Where the pod's port is here. */
  port(inPod: number): number;
  readonly router: Running;
  /** In `standalone` mode there is none. */
  readonly envoy: Running | undefined;
  /** Renders the chart again and brings the mounted ConfigMaps up to date, all at once as a kubelet does. */
  upgrade(values: object): void;
  /** Runs Envoy's preStop command; resolves with its exit code. */
  preStop(): Promise<number | null>;
  /** Whether Envoy's readiness probe succeeds. */
  ready(): Promise<boolean>;
}

/** `helm template` of the chart. */
export async function renderChart(values: object): Promise<Manifest[]> {
  const helm = runner(
    ensureHelm(() => {}),
    process.env,
  );
  return manifests(helm, values);
}

function manifests(helm: ReturnType<typeof runner>, values: object): Manifest[] {
  // A Helm that was built without its release's stamp takes itself for one of Kubernetes 1.20.
  const args = ["template", "router", CHART, "--kube-version", "1.36", "--values", "-"];
  const text = must(helm, args, JSON.stringify(values));
  return parseAllDocuments(text).flatMap((doc) => (doc.toJS() as Manifest | null) ?? []);
}

export async function startRelease(values: object): Promise<Release> {
  const helm = runner(
    ensureHelm(() => {}),
    process.env,
  );
  const envoy = await ensureEnvoy(() => {});
  // Not the usual folder for such things: its name may be too long for a Unix socket in it.
  const folder = mkdtempSync("/tmp/pod-");
  const inPod = [8801, 19000, 9190, 9191, 50051];
  const here = await freePorts(inPod.length);
  const ports = new Map(inPod.map((port, index) => [port, here[index]!]));
  let rendered = manifests(helm, values);
  const isService = ({ kind }: Manifest) => kind === "Service";
  const hosts = new Map(rendered.filter(isService).map(({ metadata }) => [metadata.name, "127.0.0.1"]));
  const lookup = (kind: string, name: string): Files =>
    rendered.find((one) => one.kind === kind && one.metadata.name === name)?.data ?? {};
  const placeOf = (pod: string): Place => ({ folder: join(folder, pod), ports, hosts, lookup, envoy });
  const pods = () =>
    rendered
      .filter(({ kind }) => kind === "Deployment")
      .map(({ metadata, spec }) => ({ place: placeOf(metadata.name), spec: spec!.template!.spec }));
  const find = (name: string) => {
    for (const { place, spec } of pods()) {
      const container = [...(spec.initContainers ?? []), ...spec.containers].find((one) => one.name === name);
      if (container) return { container, spec, place };
    }
    return undefined;
  };
  const running: Running[] = [];
  const stop = async (): Promise<void> => {
    for (const one of running.toReversed()) await one.stop();
    rmSync(folder, { recursive: true, force: true });
  };

  try {
    for (const { place, spec } of pods()) layOutVolumes(spec, place);
    const begin = async (name: string, ready: () => Promise<boolean>): Promise<Running | undefined> => {
      const found = find(name);
      if (!found) return undefined;
      const one = startContainer(found.container, commandOf(found.container, found.spec, found.place));
      running.push(one);
      await until(one, ready);
      return one;
    };
    // In the order in which a pod starts them, each when the one before it is ready.
    const router = await begin("router", () => answers(`http://127.0.0.1:${ports.get(9190)}/readyz`));
    const proxy = await begin("envoy", () => answers(`http://127.0.0.1:${ports.get(19000)}/ready`));
    const exec = (words: (envoy: Container) => readonly string[] | undefined): Promise<number | null> => {
      const { container, spec, place } = find("envoy")!;
      const { program, args } = execOf(words(container) ?? [], spec, place);
      const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
      return new Promise((resolve, reject) => child.once("error", reject).once("exit", resolve));
    };
    return {
      port: (port) => ports.get(port)!,
      router: router!,
      envoy: proxy,
      upgrade(next) {
        rendered = manifests(helm, next);
        for (const { place, spec } of pods()) layOutVolumes(spec, place);
      },
      preStop: () => exec(({ lifecycle }) => lifecycle?.preStop?.exec?.command),
      ready: async () => (await exec(({ readinessProbe }) => readinessProbe?.exec?.command)) === 0,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startContainer({ name }: Container, { program, args, env }: Command): Running {
  // A container sees none of this machine's variables.
  const child: Child = startChild(program, args, {
    cwd: "/",
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.process.stdout!, child.process.stderr!])
    stream.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
  return {
    name,
    pid: child.process.pid!,
    ended: child.ended,
    log: () => text,
    async logs(wanted, from = 0) {
      const deadline = Date.now() + 10_000;
      while (!text.slice(from).includes(wanted)) {
        if (Date.now() > deadline) throw new Error(`${name} never logged "${wanted}":\n${text.slice(from)}`);
        await sleep(20);
      }
    },
    stop: child.stop,
  };
}

async function until(one: Running, ready: () => Promise<boolean>): Promise<void> {
  let how: string | undefined;
  void one.ended.then((end) => {
    how = end;
  });
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await ready().catch(() => false))) {
    if (how !== undefined || Date.now() > deadline)
      throw new Error(`${one.name} ${how ?? "is not ready in time"}\n${one.log().slice(-4_000)}`);
    await sleep(20);
  }
}

const answers = async (url: string): Promise<boolean> =>
  (await fetch(url, { headers: { connection: "close" }, signal: AbortSignal.timeout(1_000) })).ok;
