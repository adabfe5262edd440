// Runs a TypeScript file on Node 24, whatever Node a fresh machine has, after installing npm packages if they are missing.
// Plain JavaScript without dependencies: it runs before anything is installed, and on Node 20.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const stamp = join(modules, ".installed");

const read = (path) => (existsSync(path) ? readFileSync(path, "utf8") : "");

function fail(line, detail = "") {
  console.error(detail ? `${line}\n${detail}` : line);
  process.exit(1);
}

/** True when a plain `npm ci` by hand left exactly what the lock file asks for; saves doing it again. */
function installedByHand(lock) {
  const done = read(join(modules, ".package-lock.json"));
  if (!done) return false;
  const have = JSON.parse(done).packages;
  return Object.entries(JSON.parse(lock).packages).every(
    ([path, want]) => path === "" || (have[path] ? have[path].version === want.version : want.optional),
  );
}

function isInstalled(lock, digest) {
  if (read(stamp) === digest) return true;
  if (!installedByHand(lock)) return false;
  writeFileSync(stamp, digest);
  return true;
}

/** Two commands started at once on a fresh machine: one installs, the other waits for it. */
async function withInstallLock(work) {
  const lockFile = join(root, ".cache", "install.lock");
  mkdirSync(dirname(lockFile), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      const owner = Number(read(lockFile));
      if (owner && !isAlive(owner)) rmSync(lockFile, { force: true });
      await sleep(200);
    }
  }
  process.once("exit", () => rmSync(lockFile, { force: true }));
  work();
  rmSync(lockFile, { force: true });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

const npm = (...args) =>
  spawnSync("npm", [...args, "--no-audit", "--no-fund"], {
    cwd: root,
    encoding: "utf8",
    // The CPU runtime is inside the package; its install script would fetch GPU libraries.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" },
    shell: process.platform === "win32",
  });

function install(digest) {
  console.error("installing npm packages (first run only)...");
  let done = npm("ci");
  // A lock file made on another kind of machine may lack this one's binaries; `install` fetches just those on top.
  if (done.stderr?.includes("EUSAGE")) done = npm("install", "--no-save");
  if (done.error)
    fail(
      `npm could not be started (${done.error.message}): install Node.js together with npm, then try again`,
    );
  if (done.status !== 0) {
    const lines = `${done.stdout}${done.stderr}`.trimEnd().split("\n");
    // The cause stands first among npm's error lines; after it may come pages of usage.
    const cause = lines.findIndex((line) => /^npm (error|ERR!)/.test(line));
    const said = cause < 0 ? lines.slice(-15) : lines.slice(cause, cause + 15);
    fail(
      "npm ci failed: check the network or proxy settings (npm config list), then try again; npm said:",
      said.join("\n"),
    );
  }
  writeFileSync(stamp, digest);
}

function nodeBinary() {
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  const bundled = join(modules, "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  if (existsSync(bundled)) return bundled;
  return fail(
    `Node 24 is needed and this is ${process.version}: install Node 24, or let npm run install scripts ` +
      "(npm config set ignore-scripts false), remove node_modules and try again",
  );
}

const [file, ...args] = process.argv.slice(2);
if (!file) fail("usage: node scripts/with-node.mjs FILE.ts [arguments]");

const lock = read(join(root, "package-lock.json"));
const digest = createHash("sha256").update(lock).digest("hex");
if (!isInstalled(lock, digest)) await withInstallLock(() => isInstalled(lock, digest) || install(digest));

// The processor's own heap settings; not by NODE_OPTIONS, where an older Node, which we may be, refuses some of them.
const { config } = JSON.parse(read(join(root, "package.json")));
const flags = file.endsWith(join("src", "main.ts")) ? config.processor_flags.split(" ").filter(Boolean) : [];

// In a session of its own, so that Ctrl-C reaches it once, from us, and not a second time from the terminal.
const child = spawn(nodeBinary(), ["--disable-warning=ExperimentalWarning", ...flags, file, ...args], {
  stdio: "inherit",
  detached: true,
  env: { NODE_COMPILE_CACHE: join(root, ".cache", "compile"), ...process.env },
});
let forwarded = false;
function forward(signal) {
  if (!forwarded) child.kill(signal);
  // To the processor a SIGHUP is no end: where the terminal was closed, the end is still to come.
  forwarded ||= signal !== "SIGHUP";
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, forward);
// npm runs us in a shell and ends that shell, not us.
if (process.env.npm_lifecycle_event) {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && forward("SIGTERM"), 250).unref();
}
// Killed outright we can forward nothing; a shell sees the pipe from us close and tells the child.
if (child.pid) {
  spawn("/bin/sh", ["-c", `read -r _; kill ${child.pid}`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  })
    .on("error", () => {})
    .unref();
}
child.on("error", (error) => fail(`could not run ${file}: ${error.message}`));
child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
