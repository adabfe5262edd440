import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { ensureEnvoy } from "../../scripts/envoy-binary.ts";

const packages = [
  "@grpc/grpc-js",
  "@grpc/proto-loader",
  "@opentelemetry/sdk-trace-base",
  "@opentelemetry/exporter-trace-otlp-grpc",
  "onnxruntime-node",
];
/** What decides how fast an int8 model runs. */
const telling = ["avx2", "avx512_vnni", "avx_vnni", "asimddp"];

/** Machine and versions, one fact a line. */
export async function machineFacts(withEnvoy: boolean): Promise<string[]> {
  const [cpu] = cpus();
  const flags = cpuFlags();
  return [
    `cpu       ${cpu?.model ?? "unknown"}, ${availableParallelism()} cores (${flags.join(" ") || "flags n/a"}), ${(totalmem() / 2 ** 30).toFixed(0)} GB`,
    `node      ${process.version}`,
    `envoy     ${withEnvoy ? await envoyVersion() : "not used"}`,
    `packages  ${packages.map((name) => `${name} ${versionOf(name)}`).join(", ")}`,
    `pinning   ${pinning ? "processor on one core, its client on the other" : "n/a: no taskset or one core"}`,
  ];
}

/** Whether processes can be kept on a core each. */
export const pinning = availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

function cpuFlags(): string[] {
  try {
    const words = new Set(readFileSync("/proc/cpuinfo", "utf8").split(/\s+/));
    return telling.filter((flag) => words.has(flag));
  } catch {
    return [];
  }
}

async function envoyVersion(): Promise<string> {
  const binary = await ensureEnvoy((line) => process.stderr.write(`${line}\n`));
  const said = execFileSync(binary, ["--version"], { encoding: "utf8" });
  return /\/(\d+\.\d+\.\d+)/.exec(said)?.[1] ?? said.trim();
}

function versionOf(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
