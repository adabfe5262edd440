import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { processorArgs } from "../../scripts/lib/processor.ts";
import { freePort } from "../support/ports.ts";
import { startProduct } from "../support/product.ts";
import { scratchFolder } from "../support/scratch.ts";

// What an operator does not mean to do, and the processor must live through.

const { folder, put } = scratchFolder("odd-files");

const start = (args: readonly string[], stdio: readonly ("ignore" | "pipe" | number)[]): ChildProcess =>
  spawn(process.execPath, processorArgs(...args), { stdio: [...stdio] });

async function untilLive(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    assert.equal(child.exitCode ?? child.signalCode, null, "it ended");
    const live = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (live) return;
    await sleep(50);
  }
}

describe("a log that cannot be written", () => {
  test("on a full disk: requests are served, and SIGTERM ends it", {
    skip: !existsSync("/dev/full"),
  }, async () => {
    const port = await freePort();
    const file = put("full.yaml", "{}");
    const args = ["--config", file, "--listen", "127.0.0.1:0", "--status-listen", `127.0.0.1:${port}`];
    const child = start(args, ["ignore", "ignore", openSync("/dev/full", "w")]);
    const ended = once(child, "exit");
    await untilLive(port, child);
    for (let i = 0; i < 5; i += 1) {
      child.kill("SIGHUP");
      await sleep(100);
      assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
    }
    child.kill("SIGTERM");
    assert.deepEqual(await ended, [0, null]);
  });
});

test("a start that fails ends although its log cannot be written", {
  skip: !existsSync("/dev/full"),
}, async () => {
  // Something is logged before the address proves to be taken.
  const file = put("failing.yaml", "{}");
  const child = start(
    ["--config", file, "--listen", `unix:${file}`],
    ["ignore", "ignore", openSync("/dev/full", "w")],
  );
  assert.deepEqual(await once(child, "exit"), [1, null]);
});

describe("a path that is no socket", () => {
  for (const [what, path] of [
    ["a file", put("precious.yaml", "{}")],
    ["a folder", folder],
  ] as const)
    test(`${what}: is refused by name and left alone`, async () => {
      const file = put("socket.yaml", "{}");
      await assert.rejects(
        async () => {
          const { status, stderr } = spawnSync(
            process.execPath,
            processorArgs("--config", file, "--listen", `unix:${path}`),
            { encoding: "utf8", timeout: 60_000 },
          );
          throw new Error(`${status} ${stderr}`);
        },
        (error: Error) => /^1 .*what is there is no socket; set server\.listen/s.test(error.message),
      );
      assert.ok(existsSync(path));
    });
});

describe("a signal that comes early", () => {
  test("SIGHUP while the models are being loaded does not end it", async () => {
    const file = put("early.yaml", "prompt_guard: { enabled: true }");
    const child = start(["--config", file, "--listen", "127.0.0.1:0"], ["ignore", "ignore", "pipe"]);
    const ended = once(child, "exit");
    const ready = new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr! }).on("line", (line) => {
        if (line.includes('"msg":"ready"')) resolve();
      });
      void ended.then((how) => reject(new Error(`it ended: ${how.join(" ")}`)));
    });
    // From the moment on at which Node.js itself does not end any more, some tenths of a second before it is ready.
    await sleep(250);
    for (let i = 0; i < 10; i += 1) {
      child.kill("SIGHUP");
      await sleep(10);
    }
    await ready;
    child.kill("SIGTERM");
    assert.deepEqual(await ended, [0, null]);
  });
});

test("SIGTERM while the models are being loaded ends it at once, also where it is process 1", async () => {
  const file = put("term.yaml", "prompt_guard: { enabled: true }");
  const child = start(["--config", file, "--listen", "127.0.0.1:0"], ["ignore", "ignore", "ignore"]);
  await sleep(250);
  child.kill("SIGTERM");
  // Unheard, the signal itself would end it, and in a container's process 1 do nothing.
  assert.deepEqual(await once(child, "exit"), [0, null]);
});

describe("a configuration that is no file", () => {
  test("a pipe is read at the start and not again", async () => {
    const port = await freePort();
    const pipe = join(folder, "pipe");
    assert.equal(spawnSync("mkfifo", [pipe]).status, 0);
    const writer = spawn("sh", ["-c", 'echo "{}" > "$0"', pipe]);
    const args = ["--config", pipe, "--listen", "127.0.0.1:0", "--status-listen", `127.0.0.1:${port}`];
    const child = start(args, ["ignore", "ignore", "pipe"]);
    const ended = once(child, "exit");
    let log = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
    await untilLive(port, child);
    writer.kill();
    await sleep(1500);
    assert.equal(log.includes("not reloaded"), false, log);
    child.kill("SIGHUP");
    for (let i = 0; i < 500 && !log.includes("not reloaded"); i += 1) await sleep(20);
    assert.match(log, /no regular file/);
    child.kill("SIGTERM");
    assert.deepEqual(await ended, [0, null]);
  });

  test("one that is replaced by a pipe holds nothing up", async () => {
    await using product = await startProduct(JSON.stringify({ server: { status_listen: "127.0.0.1:0" } }));
    rmSync(product.file);
    assert.equal(spawnSync("mkfifo", [product.file]).status, 0);
    await sleep(1500);
    assert.equal((await fetch(`http://127.0.0.1:${product.statusPort}/livez`)).status, 200);
  });
});

test("a file that is not UTF-8 is refused, at the start and while it runs", async () => {
  await using product = await startProduct("{}");
  writeFileSync(product.file, Buffer.from("auto_model_name: R\xe9ponse\n", "latin1"));
  assert.match(await product.logs("not reloaded"), /it is not UTF-8/);
  assert.ok(readFileSync(product.file).length > 0);
});
