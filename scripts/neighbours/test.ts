import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { ensureEnvoy } from "../envoy-binary.ts";
import { ROOT } from "../lib/settings.ts";
import { collector, ensurePart, jaeger } from "./parts.ts";

// `npm run test:neighbours`: the tracing guide against a real Jaeger and a real Collector. A missing part is a failure.

const TEST_LIMIT_MS = 180_000;
const say = (line: string): void => console.log(line);

try {
  const env = {
    ...process.env,
    ENVOY_BIN: await ensureEnvoy(say),
    JAEGER_BIN: ensurePart(jaeger, say),
    OTELCOL_BIN: ensurePart(collector, say),
  };
  const { status } = spawnSync(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      "--test",
      "--test-concurrency=1",
      `--test-timeout=${TEST_LIMIT_MS}`,
      ...globSync("test/neighbours/**/*.test.ts", { cwd: ROOT }).toSorted(),
    ],
    { cwd: ROOT, env, stdio: "inherit" },
  );
  process.exitCode = status ?? 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
