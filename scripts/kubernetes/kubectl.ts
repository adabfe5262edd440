import { spawnSync } from "node:child_process";

/** As far as these scripts look into an object of the API. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
  readonly spec?: object;
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program with its arguments fixed to one cluster. */
export type Runner = (args: readonly string[], input?: string) => Ran;

export const runner =
  (program: string, env: NodeJS.ProcessEnv): Runner =>
  (args, input) => {
    const options = {
      encoding: "utf8",
      maxBuffer: 1 << 28,
      env,
      input: input ?? "",
      timeout: 120_000,
    } as const;
    const { status, stdout, stderr, error } = spawnSync(program, args, options);
    if (error) throw new Error(`${program} ${args[0]}: ${error.message}`);
    return { status, stdout, stderr };
  };

/** What it printed; throws what it complained of. */
export function must(run: Runner, args: readonly string[], input?: string): string {
  const { status, stdout, stderr } = run(args, input);
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr.trim()}`);
  return stdout;
}

/** One object; undefined where there is none. */
export function getObject<T extends KubeObject>(
  kubectl: Runner,
  kind: string,
  name: string,
  namespace: string,
): T | undefined {
  const text = must(kubectl, ["get", kind, name, "-n", namespace, "--ignore-not-found", "-o", "json"]);
  return text.trim() === "" ? undefined : (JSON.parse(text) as T);
}
