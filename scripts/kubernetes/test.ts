import { globSync } from "node:fs";
import { ensureEnvoy } from "../envoy-binary.ts";
import { ensureHelm } from "../helm-binary.ts";
import { startChild } from "../lib/child.ts";
import { ROOT } from "../lib/settings.ts";
import { startCluster } from "./cluster.ts";
import { gatewayDefinitions } from "./gateway.ts";
import { ensureParts } from "./parts.ts";

// `npm run test:kubernetes`: chart and manifests against a real API server. A missing part is a failure. Arguments are
// parts of file names to run only those; `--stay` runs nothing, and keeps the cluster up until Ctrl-C.

const TEST_LIMIT_MS = 300_000;
const say = (line: string): void => console.log(line);
const filters = process.argv.slice(2).filter((word) => word !== "--stay");

try {
  const files = globSync("test/kubernetes/**/*.test.ts", { cwd: ROOT })
    .toSorted()
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
  if (files.length === 0) throw new Error(`no test file matches ${filters.join(" ")}`);
  const envoy = await ensureEnvoy(say);
  const helm = ensureHelm(say);
  const programs = ensureParts(say);
  const definitions = gatewayDefinitions();
  await using cluster = await startCluster(programs, envoy);
  const env = {
    ...process.env,
    KUBECONFIG: cluster.kubeconfig,
    ENVOY_BIN: envoy,
    HELM_BIN: helm,
    KUBECTL_BIN: programs.kubectl,
    KUBECONFORM_BIN: programs.kubeconform,
    EGCTL_BIN: programs.egctl,
    GATEWAY_DEFINITIONS: definitions,
  };
  process.exitCode = process.argv.includes("--stay") ? await stay(cluster.kubeconfig) : await run(files, env);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function run(files: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options = ["--test", "--test-concurrency=1", `--test-timeout=${TEST_LIMIT_MS}`];
  // Not in the foreground: the Jobs of the cluster run in this process meanwhile.
  const tests = startChild(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", ...options, ...files],
    {
      cwd: ROOT,
      env,
      stdio: "inherit",
    },
  );
  await Promise.race([tests.ended, interrupted()]);
  await tests.stop();
  return tests.process.exitCode ?? 1;
}

async function stay(kubeconfig: string): Promise<number> {
  console.log(
    `export KUBECONFIG=${kubeconfig}\nUp until Ctrl-C. Containers are pretended, but for those of Jobs.`,
  );
  await interrupted();
  return 0;
}

/** Heard, a signal does not end this process before the cluster is down; neither does a second one. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.on("SIGINT", () => resolve());
    process.on("SIGTERM", () => resolve());
  });
}
