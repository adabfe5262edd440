import { posix } from "node:path";
import { expand, type Step } from "./dockerfile.ts";

/** What the steps of a stage have set for those that follow, and in the end for the program. */
export interface Settings {
  readonly workdir: string;
  /** `uid:gid`. */
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly args: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  readonly stopSignal: string | undefined;
  readonly entrypoint: readonly string[];
  /** The health check's command. */
  readonly health: readonly string[];
}

export const initial: Settings = {
  workdir: "/",
  user: "0:0",
  env: {},
  args: new Map(),
  labels: {},
  ports: [],
  stopSignal: undefined,
  entrypoint: [],
  health: [],
};

/** The settings after a step. `given`: build arguments that win over the defaults of ARG. */
export function settingsAfter(before: Settings, step: Step, given: ReadonlyMap<string, string>): Settings {
  switch (step.kind) {
    case "arg":
      return {
        ...before,
        args: new Map(before.args).set(step.name, given.get(step.name) ?? step.value ?? ""),
      };
    case "env":
      return { ...before, env: { ...before.env, [step.name]: expand(step.value, before.args) } };
    case "workdir":
      return { ...before, workdir: posix.resolve(before.workdir, step.path) };
    case "user":
      return { ...before, user: step.user };
    case "label": {
      const labels = Object.entries(step.labels).map(([name, value]) => [name, expand(value, before.args)]);
      return { ...before, labels: { ...before.labels, ...Object.fromEntries(labels) } };
    }
    case "expose":
      return { ...before, ports: [...before.ports, ...step.ports] };
    case "stopsignal":
      return { ...before, stopSignal: step.signal };
    case "entrypoint":
      return { ...before, entrypoint: execOf(step, "ENTRYPOINT") };
    case "healthcheck":
      return { ...before, health: execOf(step, "HEALTHCHECK") };
    case "copy":
    case "run":
      return before;
  }
}

/** A shell between would get the signals, and the image has none. */
function execOf(
  step: Extract<Step, { kind: "entrypoint" | "healthcheck" }>,
  name: string,
): readonly string[] {
  if ("shell" in step.command) throw new Error(`${name} must be a list of words: the image has no shell`);
  return step.command.exec;
}
