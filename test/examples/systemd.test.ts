import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { lstatSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureEnvoy } from "../../scripts/envoy-binary.ts";
import { type Child, startChild } from "../../scripts/lib/child.ts";
import { parseConfig } from "../../src/config/load.ts";
import { envoyMissing } from "../support/envoy.ts";
import { freePorts } from "../support/ports.ts";
import { repoRoot, textOf } from "../support/repo.ts";
import { scratchFolder } from "../support/scratch.ts";

type Unit = Readonly<Record<string, readonly string[]>>;

/** Settings by name; the sections of a unit have none in common here. */
function readUnit(name: string): Unit {
  const unit: Record<string, string[]> = {};
  for (const line of textOf(`examples/systemd/${name}`).split("\n")) {
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined) unit[key] = [...(unit[key] ?? []), value!];
  }
  return unit;
}

const units = ["semantic-router.service", "envoy.service"] as const;
const router = readUnit("semantic-router.service");
const envoy = readUnit("envoy.service");
const { folder, put } = scratchFolder("systemd-test");
const flags = (JSON.parse(textOf("package.json")) as { config: { processor_flags: string } }).config
  .processor_flags;

const analyze = ((): string | undefined => {
  const found = spawnSync("systemd-analyze", ["--version"]).status === 0;
  if (found) return undefined;
  const reason = "systemd-analyze is not here: install systemd";
  if (process.env.CI) throw new Error(`the units were not verified: ${reason}`);
  process.stderr.write(`NOT RUN: the units were not verified: ${reason}\n`);
  return reason;
})();

describe("examples/systemd", () => {
  test("systemd understands every line", { skip: analyze ?? false }, () => {
    // It looks whether programs are there, which those of the units need not be here.
    const copy = (name: string, extra = "") =>
      put(
        `units/${name}`,
        `${textOf(`examples/systemd/${name}`).replaceAll(/=\/\S+\/(?:node|envoy) /g, "=/bin/true ")}${extra}`,
      );
    const files = units.map((name) => copy(name));
    const verify = (...paths: string[]) =>
      spawnSync("systemd-analyze", ["verify", "--man=no", ...paths], { encoding: "utf8" }).stderr;
    assert.equal(verify(...files), "");
    assert.match(
      verify(copy("envoy.service", "\n[Service]\nMemoryMacks=1G\n")),
      /MemoryMacks/,
      "it can say no",
    );
  });

  test("they are as hardened as systemd can tell", { skip: analyze ?? false }, () => {
    for (const name of units) {
      const path = join(repoRoot, "examples/systemd", name);
      // The exposure times ten; a unit without any of this has 96.
      const args = ["security", "--offline=yes", "--no-pager", "--threshold=20", path];
      const run = spawnSync("systemd-analyze", args, { encoding: "utf8" });
      assert.equal(run.status, 0, run.stdout);
    }
  });

  test("the router has the flags of package.json, and may compile", () => {
    assert.match(router.ExecStart![0]!, new RegExp(`^/usr/bin/node ${flags} /opt/`));
    assert.equal(router.MemoryDenyWriteExecute, undefined);
    const heap = Number(/--max-old-space-size=(\d+)/.exec(flags)?.[1]);
    assert.ok(Number.parseInt(router.MemoryMax![0]!, 10) * 1024 >= heap + 512);
  });

  test("the router is asked to end before it is made to", () => {
    const { drain_seconds } = parseConfig("").config.server;
    assert.ok(Number.parseInt(router.TimeoutStopSec![0]!, 10) >= drain_seconds + 5);
  });

  test("Envoy is of the group that reaches the socket, and starts after the router", () => {
    assert.deepEqual(envoy.Group, router.Group);
    assert.match(
      textOf("examples/systemd/semantic-router.sysusers"),
      new RegExp(`^g ${router.Group![0]} -$`, "m"),
    );
    assert.ok(envoy.After![0]!.split(" ").includes("semantic-router.service"));
    assert.equal(router.UMask![0], "0007");
    assert.equal(router.RuntimeDirectoryMode![0], "0750");
  });

  test("its commands check, start, reload and stop the router, and Envoy reaches it", {
    skip: envoyMissing,
  }, async () => {
    const config = put("etc/config.yaml", textOf("examples/config/quickstart.yaml"));
    const binary = await ensureEnvoy((line) => process.stderr.write(`${line}\n`));
    const socket = join(folder, "router.sock");
    /** A command of the unit with the paths of this machine. */
    const words = (command: string): [string, ...string[]] => {
      const [file = "", ...rest] = command
        .replaceAll("/etc/semantic-router", join(folder, "etc"))
        .replaceAll("/run/semantic-router", folder)
        .replace("127.0.0.1:9190", "127.0.0.1:0")
        .replace("/opt/semantic-router/dist/main.js", join(repoRoot, "src/main.ts"))
        .replace("/usr/bin/node", process.execPath)
        .replace("/usr/local/bin/envoy", binary)
        .split(" ");
      return [file, ...rest];
    };
    const run = ([file, ...args]: [string, ...string[]]) => spawnSync(file, args, { encoding: "utf8" });
    const started = ([file, ...args]: [string, ...string[]]) =>
      startChild("/bin/sh", ["-c", `umask ${router.UMask![0]}; exec "$@"`, "unit", file, ...args], {
        stdio: ["ignore", "ignore", "pipe"],
      });

    const [check, start, reload] = [router.ExecStartPre, router.ExecStart, router.ExecReload].map(
      (line) => line![0]!,
    ) as [string, string, string];
    assert.equal(run(words(check)).status, 0);
    const good = readFileSync(config, "utf8");
    writeFileSync(config, `${good}\nimagined: true\n`);
    assert.equal(run(words(check)).status, 1, "a file that is wrong keeps it from starting");
    writeFileSync(config, good);

    const processor = started(words(start));
    const said = linesOf(processor);
    await said('"msg":"ready"');
    assert.equal(lstatSync(socket).mode & 0o777, 0o770);

    const [clients, admin] = (await freePorts(2)) as [number, number];
    put("etc/envoy.yaml", rendered(config, socket, clients, admin));
    const valid = run(words(envoy.ExecStartPre![0]!));
    assert.equal(valid.status, 0, valid.stderr);
    const [program, ...args] = words(envoy.ExecStart![0]!);
    const proxy = startChild(program, args, { stdio: ["ignore", "ignore", "inherit"] });
    // The router answers this one itself.
    await untilAnswered(`http://127.0.0.1:${clients}/v1/models`);
    await proxy.stop();

    assert.equal(reload, "/bin/kill -HUP $MAINPID");
    writeFileSync(config, good.replace("threshold: 0.6", "threshold: 0.61"));
    process.kill(processor.process.pid!, "SIGHUP");
    await said("configuration reloaded");
    processor.process.kill("SIGTERM");
    const [code] = (await once(processor.process, "exit")) as [number | null];
    assert.equal(code, 0);
  });
});

/** As docs/systemd.md has it written, on other ports. */
function rendered(config: string, socket: string, clients: number, admin: number): string {
  const args = ["envoy", "render", "--config", config, "--processor", `unix:${socket}`];
  const ports = ["--listen", `127.0.0.1:${clients}`, "--admin", `127.0.0.1:${admin}`];
  const words = [join(repoRoot, "src/main.ts"), ...args, ...ports];
  const run = spawnSync(process.execPath, words, { encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout;
}

/** Until it answers 200: Envoy starts, and sees that the router is healthy. */
async function untilAnswered(url: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  let last = "nothing";
  while (Date.now() < deadline) {
    last = await fetch(url).then(
      ({ status }) => String(status),
      (error: Error) => error.message,
    );
    if (last === "200") return;
    await sleep(50);
  }
  throw new Error(`${url} answers ${last}`);
}

/** Waits for a line of standard error. */
function linesOf(child: Child): (text: string) => Promise<void> {
  let text = "";
  child.process.stderr!.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  return async (wanted) => {
    const deadline = Date.now() + 20_000;
    while (!text.includes(wanted)) {
      if (Date.now() > deadline || child.process.exitCode !== null)
        throw new Error(`it never said ${wanted}:\n${text}`);
      await sleep(10);
    }
  };
}
