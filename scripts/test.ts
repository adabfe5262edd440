import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { ensureEnvoy } from "./envoy-binary.ts";
import { ensureHelm } from "./helm-binary.ts";
import { ROOT } from "./lib/settings.ts";

// `npm test`: types, lint, then every test, a real Envoy included. Arguments are parts of file names to run only those.

const TEST_LIMIT_MS = 180_000;
const filters = process.argv.slice(2);
const env: NodeJS.ProcessEnv = { ...process.env };
const say = (line: string): void => console.log(line);

/** Finds or installs a part; where neither works, says so and ends in CI, where a missing part must not look like success. */
async function part(name: string, ensure: () => string | Promise<string>): Promise<Record<string, string>> {
  const key = name.toUpperCase();
  try {
    return { [`${key}_BIN`]: await ensure() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(reason);
    if (process.env.CI) process.exit(1);
    console.error(`tests that need ${name} are skipped`);
    return { [`TEST_WITHOUT_${key}`]: reason };
  }
}
Object.assign(env, await part("Envoy", () => ensureEnvoy(say)));

/** `npm run test:neighbours` and `npm run test:kubernetes` run these: their real parts take minutes to build. */
const onRequest = /^test\/(?:neighbours\/(?:jaeger|collector)|kubernetes\/(?!parts\.).*)\./;

const files = globSync("test/**/*.test.ts", { cwd: ROOT })
  .toSorted()
  .filter((file) => !onRequest.test(file))
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
if (files.length === 0) {
  console.error(filters.length > 0 ? `no test file matches ${filters.join(" ")}` : "there are no tests");
  process.exit(1);
}

// Where Go has to build one, that takes minutes.
if (files.some((file) => file.startsWith("test/chart/")))
  Object.assign(env, await part("Helm", () => ensureHelm(say)));

/** Runs one step in the foreground; true when it found nothing wrong. */
function step(name: string, command: string, ...args: string[]): boolean {
  console.log(`\n# ${name}`);
  const { status, error } = spawnSync(command, args, { cwd: ROOT, env, stdio: "inherit" });
  if (error) console.error(`${name} could not be started: ${error.message}`);
  if (status !== 0) console.error(`# ${name}: failed`);
  return status === 0;
}

const tool = (name: string): string => join(ROOT, "node_modules", ".bin", name);
// All run, whatever the first ones say: one look at the log shows everything, and the summary of the tests comes last.
const passed = [
  ...(filters.length > 0
    ? []
    : [step("types", tool("tsc"), "--noEmit"), step("lint", tool("biome"), "check", ".")]),
  step(
    "tests",
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    "--test",
    "--test-concurrency=2",
    `--test-timeout=${TEST_LIMIT_MS}`,
    ...files,
  ),
];
process.exitCode = passed.every(Boolean) ? 0 : 1;
