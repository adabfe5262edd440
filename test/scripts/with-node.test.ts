import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const folder = mkdtempSync(join(tmpdir(), "with-node-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const LOCK = {
  packages: {
    "": {},
    "node_modules/a": { version: "1" },
    "node_modules/b": { version: "2", optional: true },
  },
};
/** Answers as `npm ci` would: leaves node_modules, and counts its calls. */
const NPM_WORKS = 'mkdir -p node_modules; echo "$*" >> calls';

let made = 0;
/** A project of its own around the real script, with an npm that is a shell script. */
function project(npm = NPM_WORKS, script = ""): { root: string; env: NodeJS.ProcessEnv; with: string[] } {
  const root = join(folder, String(made++));
  mkdirSync(join(root, "scripts"), { recursive: true });
  mkdirSync(join(root, "bin"));
  cpSync(join(import.meta.dirname, "../../scripts/with-node.mjs"), join(root, "scripts/with-node.mjs"));
  writeFileSync(join(root, "package-lock.json"), JSON.stringify(LOCK));
  writeFileSync(join(root, "package.json"), '{"type":"module"}');
  writeFileSync(join(root, "bin/npm"), `#!/bin/sh\n${npm}\n`);
  chmodSync(join(root, "bin/npm"), 0o755);
  writeFileSync(
    join(root, "file.ts"),
    script || "console.log(JSON.stringify(process.argv.slice(2)) as string);",
  );
  const env = { ...process.env, PATH: `${join(root, "bin")}:${process.env.PATH}` };
  return { root, env, with: [join(root, "scripts/with-node.mjs"), "file.ts"] };
}

function run(at: ReturnType<typeof project>, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...at.with, ...args], {
    cwd: at.root,
    env: at.env,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}
const npmCalls = ({ root }: { root: string }): string[] =>
  existsSync(join(root, "calls")) ? readFileSync(join(root, "calls"), "utf8").trim().split("\n") : [];

test("the first run installs and says so; the second does neither; arguments pass", () => {
  const at = project();
  const first = run(at, "a b", "--c");
  assert.deepEqual(first, {
    status: 0,
    stdout: '["a b","--c"]\n',
    stderr: "installing npm packages (first run only)...\n",
  });
  assert.deepEqual(run(at), { status: 0, stdout: "[]\n", stderr: "" });
  assert.deepEqual(npmCalls(at), ["ci --no-audit --no-fund"]);
});

test("a changed lock file installs again", () => {
  const at = project();
  run(at);
  writeFileSync(join(at.root, "package-lock.json"), `${JSON.stringify(LOCK)}\n`);
  run(at);
  assert.equal(npmCalls(at).length, 2);
});

const byHand = [
  { name: "all is there", packages: LOCK.packages, installs: 0 },
  {
    name: "an optional package is not for this machine",
    packages: { "node_modules/a": { version: "1" } },
    installs: 0,
  },
  { name: "another version", packages: { "node_modules/a": { version: "9" } }, installs: 1 },
  { name: "a package is missing", packages: {}, installs: 1 },
];
for (const { name, packages, installs } of byHand) {
  test(`after an npm ci by hand: ${name}`, () => {
    const at = project();
    mkdirSync(join(at.root, "node_modules"));
    writeFileSync(join(at.root, "node_modules/.package-lock.json"), JSON.stringify({ packages }));
    assert.equal(run(at).status, 0);
    assert.equal(npmCalls(at).length, installs);
  });
}

const npmFailures = [
  {
    name: "its error lines",
    npm: 'echo noise; for i in $(seq 40); do echo "npm error $i" >&2; done; exit 1',
    from: "npm error 1",
    to: "npm error 15",
  },
  { name: "the end where it has none", npm: "seq 40; exit 1", from: "26", to: "40" },
];
for (const { name, npm, from, to } of npmFailures) {
  test(`a failing npm is one clear line and what npm said: ${name}`, () => {
    const { status, stderr, stdout } = run(project(npm));
    assert.equal(status, 1);
    assert.equal(stdout, "");
    const [, line, ...said] = stderr.trim().split("\n");
    assert.match(
      line ?? "",
      /^npm ci failed: check the network or proxy settings .*, then try again; npm said:$/,
    );
    assert.deepEqual([said[0], said.at(-1), said.length], [from, to, 15]);
  });
}

test("a lock file without this machine's binaries is completed, not refused", () => {
  const at = project(`if [ "$1" = ci ]; then echo "npm error code EUSAGE" >&2; exit 1; fi; ${NPM_WORKS}`);
  assert.equal(run(at).status, 0);
  assert.deepEqual(npmCalls(at), ["install --no-save --no-audit --no-fund"]);
});

test("two at once: one installs, the other waits", async () => {
  const at = project(`sleep 0.5; ${NPM_WORKS}`);
  const both = [1, 2].map(() =>
    spawn(process.execPath, at.with, { cwd: at.root, env: at.env, stdio: "ignore" }),
  );
  const codes = await Promise.all(both.map(async (child) => (await once(child, "exit"))[0]));
  assert.deepEqual(codes, [0, 0]);
  assert.equal(npmCalls(at).length, 1);
});

test("the exit code passes", () => assert.equal(run(project(NPM_WORKS, "process.exit(7)")).status, 7));

test("a death by signal becomes 128 + its number", () => {
  assert.equal(run(project(NPM_WORKS, 'process.kill(process.pid, "SIGKILL")')).status, 137);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} reaches the program, once`, async () => {
    const at = project(
      NPM_WORKS,
      `let n = 0; process.on("${signal}", () => { n++; setTimeout(() => process.exit(10 + n), 100); });
       setInterval(() => {}, 1000); console.log("up");`,
    );
    const child = spawn(process.execPath, at.with, {
      cwd: at.root,
      env: at.env,
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(child.stdout, "data");
    child.kill(signal);
    await new Promise((resolve) => setTimeout(resolve, 30));
    child.kill(signal);
    assert.deepEqual(await once(child, "exit"), [11, null]);
  });
}

test("when npm's shell is ended, so is the program", async () => {
  const at = project(
    NPM_WORKS,
    `process.on("SIGTERM", () => { console.log("told"); process.exit(); });
    setInterval(() => {}, 1000); console.log("up");`,
  );
  const command = `"${process.execPath}" ${at.with.join(" ")}; true`;
  const env = { ...at.env, npm_lifecycle_event: "start" };
  const shell = spawn("/bin/sh", ["-c", command], { cwd: at.root, env, stdio: ["ignore", "pipe", "ignore"] });
  await once(shell.stdout, "data");
  shell.kill("SIGTERM");
  const [told] = (await once(shell.stdout, "data")) as [Buffer];
  assert.equal(String(told), "told\n");
});
