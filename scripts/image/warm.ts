import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";

// node warm.ts CONFIG: starts the processor as the image will, asks for its health, and stops it. With
// NODE_COMPILE_CACHE set, what Node.js compiles meanwhile is kept. A step of the Dockerfile: it uses nothing but Node.js.

const startLimitMs = 120_000;

const [config = ""] = process.argv.slice(2);
const listen = "unix:/tmp/warm.sock";
const flags = process.execArgv;

const processor = spawn(
  process.execPath,
  [...flags, "dist/main.js", "serve", "--config", config, "--listen", listen],
  { stdio: ["ignore", "inherit", "pipe"] },
);
const lines = createInterface({ input: processor.stderr });
// A wide limit: for another architecture all this is emulated.
const timer = setTimeout(() => fail(`it was not ready within ${startLimitMs / 1000} s`), startLimitMs);
processor.on("exit", (code, signal) => {
  clearTimeout(timer);
  if (code !== 0) fail(`the processor ended with ${signal ?? code}`);
});
lines.on("line", (line) => {
  console.log(line);
  if (!line.includes('"msg":"ready"')) return;
  // As HEALTHCHECK runs it: with other flags Node.js would not find what was compiled here.
  const health = (...args: readonly string[]) =>
    spawnSync(process.execPath, ["dist/main.js", "health", ...args], { encoding: "utf8" });
  const { status, stderr } = health("--listen", listen);
  if (status !== 0) fail(`health: ${stderr}`);
  // The image's check reads the address from the file. Here nobody listens there: only what is compiled counts.
  health("--config", config);
  processor.kill("SIGTERM");
});

function fail(message: string): never {
  console.error(`warm.ts: ${message}`);
  processor.kill("SIGKILL");
  process.exit(1);
}
