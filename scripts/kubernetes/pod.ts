import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { processorArgs } from "../lib/processor.ts";
import { mountFiles } from "./mounts.ts";

type Exec = { readonly command: readonly string[] };
type Key = { readonly name: string; readonly key: string; readonly optional?: boolean };

/** What is read of a pod here; anything else in it plays no part on this machine. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: {
      readonly secretKeyRef?: Key;
      readonly configMapKeyRef?: Key;
      readonly fieldRef?: object;
    };
  }[];
  readonly envFrom?: readonly {
    readonly configMapRef?: { readonly name: string };
    readonly secretRef?: { readonly name: string };
  }[];
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
  }[];
  readonly lifecycle?: { readonly preStop?: { readonly exec?: Exec } };
  readonly readinessProbe?: { readonly exec?: Exec };
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly {
    readonly name: string;
    readonly configMap?: { readonly name: string; readonly items?: readonly { key: string; path: string }[] };
    readonly secret?: { readonly secretName: string };
    readonly emptyDir?: object;
    /** An account's token: nothing here asks the API server for anything. */
    readonly projected?: object;
  }[];
}

/** Content of a ConfigMap or Secret, by key. */
export type Files = Readonly<Record<string, string>>;
export type Lookup = (kind: "ConfigMap" | "Secret", name: string) => Files;

export interface Place {
  /** Where the pod's volumes are laid out; short, as the path of a Unix socket may have 107 bytes. */
  readonly folder: string;
  /** Ports of the pod and those that they have here. */
  readonly ports: ReadonlyMap<number, number>;
  /** Addresses here by the names of Services. */
  readonly hosts: ReadonlyMap<string, string>;
  readonly lookup: Lookup;
  /** Programs by the image that holds them. */
  readonly envoy: string;
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Folder of a volume on this machine. */
export const volumeFolder = (place: Place, volume: string): string => join(place.folder, volume);

/** Lays out the volumes of a pod, or, the second time, brings them up to date as a kubelet does. */
export function layOutVolumes(spec: PodSpec, place: Place): void {
  for (const { name, configMap, secret, emptyDir, projected } of spec.volumes ?? []) {
    const folder = volumeFolder(place, name);
    const files = configMap
      ? place.lookup("ConfigMap", configMap.name)
      : secret && place.lookup("Secret", secret.secretName);
    if (files) {
      const items = configMap?.items ?? Object.keys(files).map((key) => ({ key, path: key }));
      mountFiles(
        folder,
        Object.fromEntries(items.map(({ key, path }) => [path, translate(files[key]!, spec, place)])),
      );
    } else if (emptyDir ?? projected) {
      mkdirSync(folder, { recursive: true });
    } else {
      throw new Error(`volume ${name} is of a kind that is not laid out here`);
    }
  }
}

/** How a container is started on this machine: its program, with paths and ports translated. */
export function commandOf(container: Container, spec: PodSpec, place: Place): Command {
  const words = [...(container.command ?? []), ...(container.args ?? [])];
  const [program, ...args] = programOf(container, words, place);
  const env = Object.fromEntries(
    Object.entries(variablesOf(container, place.lookup)).map(([name, text]) => [
      name,
      translate(text, spec, place),
    ]),
  );
  return { program: program!, args: args.map((word) => translate(word, spec, place)), env };
}

/** The words of an `exec` hook or probe. */
export function execOf(words: readonly string[], spec: PodSpec, place: Place): Command {
  const [program, ...args] = words.map((word) => translate(word, spec, place));
  return { program: program!, args, env: {} };
}

function variablesOf({ env = [], envFrom = [] }: Container, lookup: Lookup): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const { configMapRef, secretRef } of envFrom) {
    if (configMapRef) Object.assign(variables, lookup("ConfigMap", configMapRef.name));
    if (secretRef) Object.assign(variables, lookup("Secret", secretRef.name));
  }
  for (const { name, value = "", valueFrom } of env) {
    const { secretKeyRef, configMapKeyRef, fieldRef } = valueFrom ?? {};
    if (secretKeyRef) variables[name] = lookup("Secret", secretKeyRef.name)[secretKeyRef.key] ?? "";
    else if (configMapKeyRef)
      variables[name] = lookup("ConfigMap", configMapKeyRef.name)[configMapKeyRef.key] ?? "";
    else variables[name] = fieldRef ? "pod" : value;
  }
  return variables;
}

/** What the entry points of the two images start. */
function programOf(
  { image, command, name }: Container,
  words: readonly string[],
  { envoy }: Place,
): string[] {
  const holds = image.split("@")[0]!.split("/").at(-1)!.split(":")[0]!;
  if (holds.startsWith("envoy")) return [envoy, ...(words[0] === "envoy" ? words.slice(1) : words)];
  const main = words.findIndex((word) => word.endsWith("dist/main.js"));
  if (command && main < 0)
    throw new Error(`container ${name} starts ${command.join(" ")}, which is not known here`);
  return [process.execPath, ...processorArgs(...words.slice(main + 1))];
}

function mountPaths(spec: PodSpec, place: Place): ReadonlyMap<string, string> {
  const mounts = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(
    (one) => one.volumeMounts ?? [],
  );
  const paths = new Map<string, string>();
  for (const { name, mountPath, subPath } of mounts) {
    if (subPath) throw new Error(`${mountPath} is mounted by subPath, which never sees an update`);
    paths.set(mountPath, volumeFolder(place, name));
  }
  return paths;
}

/** Paths, ports and hosts of the pod in a text, each replaced by its counterpart here. One pass: what is put in stays. */
function translate(text: string, spec: PodSpec, place: Place): string {
  const here = new Map<string, string>([
    ...mountPaths(spec, place),
    ...[...place.hosts].toSorted(),
    ...[...place.ports].map(([from, to]): [string, string] => [String(from), String(to)]),
  ]);
  if (here.size === 0) return text;
  const longestFirst = [...here.keys()].toSorted((a, b) => b.length - a.length);
  const either = longestFirst.map((word) => `(?<![\\w./-])${word.replaceAll(".", "\\.")}(?![\\w.-])`);
  return text.replace(new RegExp(either.join("|"), "g"), (found) => here.get(found) ?? found);
}
