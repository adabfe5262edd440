import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, describe, test } from "node:test";
import { processorArgs } from "../scripts/lib/processor.ts";
import { openStream, sends } from "./support/ext-proc.ts";
import { startProduct } from "./support/product.ts";

const folder = mkdtempSync(join(tmpdir(), "main-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const fileOf = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const good = fileOf("good.yaml", "observability: { tracing: { enabled: false } }\n");
const bad = fileOf("bad.yaml", "default_modle: x\nprompt_guard: { threshold: 7 }\n");

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const { CONFIG_PATH: _path, CONFIG_FILE: _file, ...inherited } = process.env;
  const child = spawn(process.execPath, processorArgs(...args), { env: { ...inherited, ...env } });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const [code] = (await once(child, "close")) as [number];
  return { code, out, err };
}

describe("the processor's command line", () => {
  test("--version and --help say so and exit", async () => {
    assert.match((await run(["--version"])).out, /^\d+\.\d+\.\d+\n$/);
    const { code, out } = await run(["--help"]);
    assert.equal(code, 0);
    assert.match(out, /--config FILE/);
  });

  test("serve is the command that runs where none is named", async () => {
    for (const args of [
      ["--config", "/nowhere.yaml"],
      ["serve", "--config", "/nowhere.yaml"],
    ]) {
      const { code, err } = await run(args);
      assert.deepEqual([code, err.split(":")[0]], [1, "cannot read /nowhere.yaml"]);
    }
  });

  test("the file is found by flag or by environment", async () => {
    for (const [args, env] of [
      [["--config", bad], { CONFIG_PATH: good }],
      [[], { CONFIG_PATH: bad, CONFIG_FILE: good }],
      [[], { CONFIG_FILE: bad }],
    ] as const) {
      const { code, err } = await run(args, env);
      assert.equal(code, 1);
      assert.match(err, /bad\.yaml:1:1 default_modle: unknown key; did you mean "default_model"\?/);
      assert.match(err, /bad\.yaml:2:28 prompt_guard\.threshold: .*0.*1/);
    }
  });

  test("the addresses that are given are those it listens on", async () => {
    const any = "127.0.0.1:0";
    const args = ["serve", "--config", good, "--listen", any, "--status-listen", any, "--admin-listen", any];
    const child = spawn(process.execPath, processorArgs(...args));
    const ended = once(child, "close");
    for await (const line of createInterface({ input: child.stderr })) {
      if (!line.includes('"msg":"ready"')) continue;
      const { status_port, admin_port } = JSON.parse(line) as Record<string, number>;
      assert.equal((await fetch(`http://127.0.0.1:${status_port}/readyz`)).status, 200);
      assert.equal((await fetch(`http://127.0.0.1:${admin_port}/reload`)).status, 200);
      child.kill("SIGTERM");
    }
    assert.deepEqual(await ended, [0, null]);
  });

  const failing: readonly [string, readonly string[], RegExp][] = [
    ["no configuration", [], /no configuration: give --config FILE or set CONFIG_PATH/],
    [
      "a missing file",
      ["--config", "/nowhere.yaml"],
      /cannot read \/nowhere\.yaml: no such file; set CONFIG_PATH or --config/,
    ],
    ["an unknown option", ["--confg", "x"], /--confg/],
    [
      "a model that is not there",
      [
        "--config",
        fileOf("model.yaml", "prompt_guard: { enabled: true }\ninference: { model_path: /nowhere }\n"),
      ],
      /\/nowhere\/encoder\.json cannot be read \(ENOENT\)/,
    ],
    [
      "a TLS contradiction",
      [
        "--config",
        fileOf(
          "tls.yaml",
          "observability: { tracing: { enabled: true, exporter: { endpoint: 'https://c:4317', insecure: true } } }\n",
        ),
      ],
      /tls\.yaml:1:\d+ observability\.tracing\.exporter\.endpoint: https:\/\/ contradicts insecure: true/,
    ],
  ];
  for (const [name, args, says] of failing) {
    test(`${name} is one clear line and a non-zero exit`, async () => {
      const { code, err } = await run(args);
      assert.notEqual(code, 0);
      assert.match(err, says);
      assert.doesNotMatch(err, /^\s+at /m, "no stack trace");
    });
  }

  test("a taken port is named with its remedy", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    // With its model's threads running already: they must not keep the process.
    const guarded = fileOf("guarded.yaml", "prompt_guard: { enabled: true }\n");
    const { code, err } = await run(["--config", guarded, "--listen", `127.0.0.1:${port}`]);
    taken.close();
    assert.equal(code, 1);
    assert.match(err, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}.*server\\.listen`));
  });

  test("a configuration without models says that it passes everything through", async () => {
    await using product = await startProduct("observability: { tracing: { enabled: false } }");
    assert.match(product.log(), /every request is passed through/);
  });

  test("SIGTERM lets an exchange in flight end, then the process goes with exit code 0", async () => {
    const product = await startProduct("observability: { tracing: { enabled: false } }");
    const stream = openStream(product.port);
    const answers: unknown[] = [];
    stream.on("data", (answer) => answers.push(answer));
    stream.on("error", () => {});
    stream.write(sends.requestHeaders());
    await once(stream, "data");
    process.kill(product.pid, "SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 100));
    stream.write(sends.responseHeaders(200));
    await once(stream, "data");
    stream.end();
    await once(stream, "status");
    assert.equal(answers.length, 2);
    await product.stop();
    assert.match(product.log(), /"msg":"stopped"/);
  });
});
