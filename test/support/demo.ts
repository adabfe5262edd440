import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { checkPorts } from "../../scripts/lib/ports.ts";
import { freePorts } from "./ports.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Environment for the scripts with free ports in place of the usual ones, so that tests can run beside a quickstart. */
export async function demoEnv(): Promise<Record<string, string>> {
  for (;;) {
    const [processor, envoy, admin, demo] = (await freePorts(4)) as [number, number, number, number];
    // The demo servers take consecutive ports, which nobody can be asked for.
    const demos = [demo, demo + 1, demo + 2].map((port) => ({ port, use: "demo", variable: "DEMO_PORT" }));
    const taken = await checkPorts(demos).catch(() => true);
    if (taken) continue;
    return {
      PROCESSOR_PORT: String(processor),
      ENVOY_PORT: String(envoy),
      ENVOY_ADMIN_PORT: String(admin),
      DEMO_PORT: String(demo),
    };
  }
}

export type Script = {
  readonly child: ChildProcess;
  output(): string;
  /** Resolves when the output holds the text; rejects when the script ends first. */
  says(text: string): Promise<void>;
  /** Its exit code. */
  readonly exited: Promise<number | null>;
};

/** Runs a script as npm does. */
export function runScript(file: string, env: Record<string, string | undefined>): Script {
  const child = spawn(process.execPath, ["scripts/with-node.mjs", file], {
    cwd: ROOT,
    env: { ...process.env, CONFIG_PATH: "", OTLP_ENDPOINT: "", OTEL_EXPORTER_OTLP_ENDPOINT: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = (text: string): void => {
    output += text;
  };
  child.stdout.setEncoding("utf8").on("data", collect);
  child.stderr.setEncoding("utf8").on("data", collect);
  const exited = once(child, "close").then(([code]) => code as number | null);
  return {
    child,
    output: () => output,
    exited,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => void (output.includes(text) && resolve());
        child.stdout.on("data", look);
        child.stderr.on("data", look);
        look();
        void exited.then((code) =>
          reject(new Error(`ended with ${code} and never said "${text}":\n${output}`)),
        );
      }),
  };
}
