import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { describe, test } from "node:test";
import { commands } from "../../src/cli/commands.ts";
import { program } from "../../src/cli/program.ts";
import { repoRoot, textOf } from "../support/repo.ts";
import { ran, sink } from "./run.ts";

const { version } = JSON.parse(textOf("package.json")) as { version: string };

describe("help", () => {
  for (const args of [["help"], ["--help"], ["-h"]])
    test(`${args} lists every command with its summary`, async () => {
      const { status, out, err } = await ran(args);
      assert.deepEqual([status, err], [0, ""]);
      for (const [name, { summary }] of Object.entries(commands))
        assert.match(out, new RegExp(`^  ${name} +${summary.replaceAll(/[()]/g, "\\$&")}$`, "m"));
      for (const option of ["--config FILE", "--listen ADDR", "--status-listen ADDR", "--admin-listen ADDR"])
        assert.ok(out.includes(`  ${option}`), option);
    });
  for (const [name, { load }] of Object.entries(commands))
    test(`of ${name}: its usage and options, in three ways`, async () => {
      const words = name.split(" ");
      const { status, out } = await ran([...words, "--help"]);
      const { usage, options, about } = await load();
      assert.equal(status, 0);
      assert.ok(out.startsWith(`semantic-router ${usage}\n  ${commands[name]!.summary}\n`), out);
      assert.ok(usage.startsWith(name));
      for (const [option, { description }] of Object.entries(options)) {
        assert.match(out, new RegExp(`^  (?:-., )?--${option}\\b`, "m"));
        assert.ok(out.includes(description), option);
      }
      assert.ok(out.includes(about));
      for (const args of [
        ["help", ...words],
        [...words, "-h"],
      ])
        assert.equal((await ran(args)).out, out);
      const wide = out.split("\n").find((line) => line.length > 120);
      assert.equal(wide, undefined);
    });
  test("of help itself, in three ways", async () => {
    const { status, out, err } = await ran(["help", "help"]);
    assert.deepEqual([status, err], [0, ""]);
    assert.match(out, /^semantic-router help \[COMMAND\]\n/);
    for (const asked of ["--help", "-h"]) assert.equal((await ran(["help", asked])).out, out);
  });
  for (const args of [
    ["help", "config"],
    ["config", "--help"],
  ])
    test(`${args.join(" ")} lists what begins so`, async () => {
      const { status, out } = await ran(args);
      assert.deepEqual([status, out.match(/config \w+/g)], [0, ["config show", "config diff"]]);
    });
});

describe("version", () => {
  test("in text, by option, and for programs", async () => {
    assert.deepEqual(await ran(["version"]), { status: 0, out: `${version}\n`, err: "" });
    assert.equal((await ran(["--version"])).out, `${version}\n`);
    const { out } = await ran(["version", "--json"]);
    assert.deepEqual(JSON.parse(out), { version, node: process.version });
  });
});

describe("what cannot be understood is one line, its remedy and status 2", () => {
  const how = (name: string) => `(${name} --help shows how)`;
  const us = "semantic-router";
  const rows: readonly (readonly [args: readonly string[], says: string])[] = [
    [["chekc", "x"], `${us}: unknown command "chekc"; did you mean "check"? ${how(us)}`],
    [["confg"], `${us}: unknown command "confg"; did you mean "config"? ${how(us)}`],
    [["a text\nof two lines"], `${us}: unknown command "a text of two lines" ${how(us)}`],
    [["help", "chekc"], `${us}: unknown command "chekc"; did you mean "check"? ${how(us)}`],
    [["constructor"], `${us}: unknown command "constructor" ${how(us)}`],
    [["config"], `${us} config: needs a second word; known: show, diff ${how(`${us} config`)}`],
    [
      ["config", "shwo"],
      `${us} config: unknown command "config shwo"; did you mean "show"? ${how(`${us} config`)}`,
    ],
    [["--confg", "x"], `${us}: unknown option "--confg"; did you mean "--config"? ${how(us)}`],
    [["--check"], `${us}: there is no option --check, but a command: ${us} check ${how(us)}`],
    [["--config", "f", "check"], `${us}: unexpected "check" ${how(us)}`],
    [["config", "diff", "", "new"], `${us} config diff: OLD is empty ${how(`${us} config diff`)}`],
    [["config", "diff", "old", ""], `${us} config diff: NEW is empty ${how(`${us} config diff`)}`],
    [["check", "--nope"], `${us} check: unknown option "--nope" ${how(`${us} check`)}`],
    [["config", "show", "x"], `${us} config show: unexpected "x" ${how(`${us} config show`)}`],
    [["--listen", "50051"], `${us}: --listen must be host:port or unix:/path, not "50051" ${how(us)}`],
    [["--listen", "::1:4"], `${us}: --listen must be host:port or unix:/path, not "::1:4" ${how(us)}`],
    [["--listen", "h:70000"], `${us}: --listen must be host:port or unix:/path, not "h:70000" ${how(us)}`],
    [
      ["serve", "--status-listen", "unix:/x"],
      `${us} serve: --status-listen must be host:port, not "unix:/x" ${how(`${us} serve`)}`,
    ],
    [
      ["serve", "--admin-listen", "x"],
      `${us} serve: --admin-listen must be host:port, not "x" ${how(`${us} serve`)}`,
    ],
  ];
  for (const [args, line] of rows)
    test(args.join(" "), async () => {
      assert.deepEqual(await ran(args), { status: 2, out: "", err: `${line}\n` });
    });
});

describe("what fails is status 1", () => {
  const unreadable: readonly (readonly [input: Readable, says: string])[] = [
    [Readable.from([Buffer.from([0xff, 0xfe])]), "standard input is not UTF-8"],
    [Readable.from([]), "standard input is empty"],
    [
      new Readable({
        read: (): never => {
          throw Object.assign(new Error("EISDIR: read"), { code: "EISDIR" });
        },
      }),
      "cannot read standard input: it is a directory",
    ],
  ];
  for (const [input, says] of unreadable)
    test(`check - where it is said that ${says}`, async () => {
      const errors = sink();
      assert.equal(await program(["check", "-"], { input, output: sink(), errors }), 1);
      assert.equal(errors.text(), `semantic-router check: ${says}\n`);
    });
  const rows = [
    ["help", "help"],
    ["help config", "help", "config"],
    ["", "--help"],
    ["config", "config", "--help"],
    ["check", "check", "--help"],
    ["", "--version"],
    ["version", "version"],
    ["completion", "completion", "bash"],
  ] as const;
  for (const [called, ...args] of rows)
    test(`${args.join(" ")} where the output cannot be written`, async () => {
      const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
      const output = new Writable({ write: (_chunk, _encoding, done) => done(full) });
      const errors = sink();
      assert.equal(await program(args, { input: Readable.from([]), output, errors }), 1);
      const name = ["semantic-router", called.split(" ")[0]].join(" ").trimEnd();
      assert.equal(errors.text(), `${name}: ${full.message}\n`);
    });

  const none = "no configuration: give --config FILE or set CONFIG_PATH (/config/config.yaml does not exist)";
  for (const name of ["serve", "check", "config show", "envoy render"])
    test(`${name} without a configuration`, async () => {
      assert.deepEqual(await ran(name.split(" ")), {
        status: 1,
        out: "",
        err: `semantic-router ${name}: ${none}\n`,
      });
    });
  test("of a wrong configuration each line is a problem with its place", async () => {
    const { status, err } = await ran(["config", "show", "--config", "/nowhere.yaml"]);
    assert.deepEqual([status, err.split(" ")[0]], [1, "cannot"]);
  });
});

describe("what is loaded", () => {
  /** Modules of the product and packages that a command line loads, before it ends for want of what it is asked about. */
  function loadedBy(args: readonly string[]): string[] {
    const hook =
      "import { registerHooks } from 'node:module';" +
      "registerHooks({ load(url, context, next) { process._rawDebug('LOADED ' + url); return next(url, context); } });";
    const { stderr } = spawnSync(
      process.execPath,
      [
        "--disable-warning=ExperimentalWarning",
        "--import",
        `data:text/javascript,${encodeURIComponent(hook)}`,
        join(repoRoot, "src/main.ts"),
        ...args,
      ],
      { encoding: "utf8" },
    );
    return [...stderr.matchAll(/LOADED file:\/\/\S*?\/(src\/\S+|node_modules\/(?:@[^/]+\/)?[^/]+)/g)].map(
      ([, path]) => path!,
    );
  }

  test("serve, on its way to the processor: nothing of another command", () => {
    const own = "addresses command commands config-option configuration parse program serve".split(" ");
    const loaded = loadedBy(["--config", "/nowhere.yaml"]);
    assert.deepEqual(
      loaded.filter((path) => path.startsWith("src/cli/")).sort(),
      own.map((name) => `src/cli/${name}.ts`),
    );
    assert.ok(loaded.includes("src/config/load.ts"));
  });

  test("health at an address: no packages, no configuration", () => {
    const loaded = loadedBy(["health", "--listen", "127.0.0.1:1"]);
    assert.ok(loaded.includes("src/cli/health.ts"));
    const beside = loaded.filter((path) => !path.startsWith("src/cli/") && path !== "src/main.ts");
    assert.deepEqual(beside, ["src/config/nearest.ts"]);
  });
});
