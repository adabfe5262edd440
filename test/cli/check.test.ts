import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { unusedKeys } from "../../src/config/unused.ts";
import { guardModel } from "../support/onnx/own-set.ts";
import { repoRoot } from "../support/repo.ts";
import { ran } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "check-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const fileOf = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const good = fileOf("good.yaml", "observability: { tracing: { enabled: false } }\n");
const bad = fileOf(
  "bad.yaml",
  "default_modle: x\nbert_model: { use_cpu: true }\nprompt_guard: { threshold: 7 }\n",
);
const warned = fileOf("warned.yaml", "bert_model:\n  use_cpu: true\nprompt_guard:\n  use_cpu: true\n");
const old = join(repoRoot, "examples/config/vllm-semantic-router-v0.1.yaml");

interface Report {
  readonly valid: boolean;
  readonly file: string;
  readonly problems: readonly Record<string, unknown>[];
  readonly warnings: readonly Record<string, unknown>[];
}
async function report(...args: readonly string[]): Promise<{ status: number; report: Report }> {
  const { status, out, err } = await ran(["check", ...args, "--json"]);
  assert.equal(err, "");
  return { status, report: JSON.parse(out) as Report };
}

describe("check", () => {
  test("a good file is valid, however it is named", async () => {
    for (const [args, env] of [
      [[good], {}],
      [["--config", good], {}],
      [[], { CONFIG_PATH: good }],
      [[], { CONFIG_FILE: good }],
      [[good], { CONFIG_PATH: bad }],
    ] as const)
      assert.deepEqual(await ran(["check", ...args], { env }), {
        status: 0,
        out: `${good}: valid\n`,
        err: "",
      });
  });

  test("named twice it is a usage error", async () => {
    const { status, err } = await ran(["check", good, "--config", good]);
    assert.equal(status, 2);
    assert.match(err, /give FILE or --config FILE, not both/);
  });

  test("every problem of a bad file is told with its place, and its warnings too", async () => {
    const { status, out, err } = await ran(["check", bad]);
    assert.equal(status, 1);
    const [first, second, ...more] = err.trimEnd().split("\n");
    assert.equal(first, `${bad}:1:1 default_modle: unknown key; did you mean "default_model"?`);
    assert.match(second!, /bad\.yaml:3:28 prompt_guard\.threshold: must be 0 to 1, not 7$/);
    assert.deepEqual(more, []);
    assert.equal(out.split("\n")[0], `warning: ${bad}:2:15 bert_model.use_cpu: has no effect`);
  });

  test("a key without effect is told with what it is taken to do, each for itself", async () => {
    const { status, out } = await ran(["check", warned]);
    const { believed, here } = unusedKeys["bert_model.use_cpu"]!;
    const entry = (place: string) => [
      `warning: ${warned}:${place}: has no effect`,
      `  v0.1: ${believed}`,
      `  here: ${here}`,
    ];
    assert.equal(status, 0);
    assert.deepEqual(out.trimEnd().split("\n"), [
      ...entry("2:3 bert_model.use_cpu"),
      ...entry("4:3 prompt_guard.use_cpu"),
      `${warned}: valid`,
    ]);
  });

  test("--strict makes warnings count", async () => {
    const { status, out } = await ran(["check", "--strict", warned]);
    assert.equal(status, 1);
    assert.match(out, /warned\.yaml: valid, with 2 warnings \(--strict\)\n$/);
    assert.equal((await ran(["check", "--strict", good])).status, 0);
  });

  test("an empty FILE, as of a variable that is not set, is a usage error", async () => {
    const { status, err } = await ran(["check", ""], { env: { CONFIG_PATH: good } });
    assert.deepEqual(
      [status, err],
      [2, "semantic-router check: FILE is empty (semantic-router check --help shows how)\n"],
    );
  });

  const piped = "prompt_guard:\n  use_cpu: true\n";
  const broken = "default_modle: x\n";
  const shown = 'standard input:1:1 default_modle: unknown key; did you mean "default_model"?';
  for (const args of [["-"], ["--config", "-"]])
    test(`${args.join(" ")} is standard input`, async () => {
      const { status, out } = await ran(["check", ...args], { input: piped });
      assert.equal(status, 0);
      assert.match(
        out,
        /^warning: standard input:2:3 prompt_guard\.use_cpu: [\s\S]*\nstandard input: valid\n$/,
      );
      const wrong = await ran(["check", ...args], { input: `${broken}${piped}` });
      assert.deepEqual([wrong.status, wrong.err], [1, `${shown}\n`]);
      assert.match(wrong.out, /^warning: standard input:3:3 /);
    });
  test("relative directories in standard input start from the working directory", async () => {
    const input = "prompt_guard: { enabled: true, model_id: ./no/such }\n";
    const { status, err } = await ran(["check", "-"], { input });
    assert.equal(status, 1);
    assert.ok(err.startsWith("standard input:1:42 prompt_guard.model_id: "), err);
    assert.ok(err.includes(join(process.cwd(), "no/such")), err);
  });

  const unreadable: readonly (readonly [name: string, file: string, says: RegExp])[] = [
    ["that is not there", "/nowhere.yaml", /^cannot read \/nowhere\.yaml: no such file/],
    ["that is a directory", folder, /^cannot read .*: it is a directory/],
    ["that is no YAML", fileOf("broken.yaml", "a: [1\nb: {"), /^\S*broken\.yaml:\d+:\d+ YAML: /],
  ];
  for (const [name, file, says] of unreadable)
    test(`a file ${name}`, async () => {
      const { status, out, err } = await ran(["check", file]);
      assert.deepEqual([status, out], [1, ""]);
      assert.match(err, says);
      const { problems } = (await report(file)).report;
      assert.match(String(problems[0]!.message), /^(?:cannot read|YAML)/);
    });
});

describe("check --json", () => {
  test("has all of it, by place", async () => {
    assert.deepEqual(await report(good), {
      status: 0,
      report: { valid: true, file: good, problems: [], warnings: [] },
    });
    const { status, report: found } = await report(bad);
    assert.deepEqual([status, found.valid], [1, false]);
    assert.deepEqual(found.problems[0], {
      line: 1,
      column: 1,
      path: "default_modle",
      message: 'unknown key; did you mean "default_model"?',
    });
    const { believed, here } = unusedKeys["bert_model.use_cpu"]!;
    const place = { line: 2, column: 15, path: "bert_model.use_cpu" };
    assert.deepEqual(found.warnings, [{ ...place, message: here, believed, here }]);
  });

  test("--strict keeps the file valid, and the status says no", async () => {
    const { status, report: found } = await report(warned, "--strict");
    assert.deepEqual([status, found.valid], [1, true]);
  });

  test("files of one's own models are read, and their faults have a place", async () => {
    using guard = guardModel();
    guard.write("config.json", { model_type: "bert", id2label: { 0: "a", 1: "b" } });
    const file = fileOf("own.yaml", `prompt_guard:\n  enabled: true\n  model_id: ${guard.path}\n`);
    const { status, report: found } = await report(file);
    assert.equal(status, 1);
    const { message, ...place } = found.problems[0]!;
    assert.deepEqual(place, { line: 3, column: 13, path: "prompt_guard.model_id" });
    assert.match(String(message), /^\S*config\.json: none of the labels/);
  });
});

describe("the files that a configuration names", () => {
  const guarded = (more: string) => `prompt_guard: { enabled: true }\n${more}`;

  test("inference.model_path is read as the start would", async () => {
    const missing = fileOf("missing.yaml", guarded("inference: { model_path: /nope }\n"));
    const { status, report: found } = await report(missing);
    assert.equal(status, 1);
    const { message, ...place } = found.problems[0]!;
    assert.deepEqual(place, { line: 2, column: 26, path: "inference.model_path" });
    assert.match(String(message), /^model file \/nope\/encoder\.json cannot be read \(ENOENT\): /);
    const models = join(repoRoot, "models");
    const there = fileOf("there.yaml", guarded(`inference: { model_path: ${models} }\n`));
    assert.equal((await report(there)).status, 0);
    // Nothing reads prompts: the start loads no model.
    const unused = fileOf("unused.yaml", "inference: { model_path: /nope }\n");
    assert.equal((await report(unused)).status, 0);
  });

  const exporter = (more: string, enabled = true) =>
    `observability:\n  tracing:\n    enabled: ${enabled}\n    exporter:\n      endpoint: https://otel:4317\n${more}`;
  const files = `      tls:
        ca_file: /nope/ca.pem
        cert_file: ${good}
        key_file: ${folder}
      header_files:
        authorization: /nope/token
        x-other: ${good}
`;

  test("those that spans need are warned of where they cannot be read", async () => {
    const file = fileOf("files.yaml", exporter(files));
    const { status, report: found } = await report(file);
    const after = "spans cannot be sent before it is";
    const at = "observability.tracing.exporter";
    assert.deepEqual(
      [status, found.problems, found.warnings.map(({ line, path, message }) => [line, path, message])],
      [
        0,
        [],
        [
          [7, `${at}.tls.ca_file`, `not readable here: /nope/ca.pem: no such file; ${after}`],
          [9, `${at}.tls.key_file`, `not readable here: ${folder}: it is a directory; ${after}`],
          [11, `${at}.header_files.authorization`, `not readable here: /nope/token: no such file; ${after}`],
        ],
      ],
    );
    assert.equal((await ran(["check", "--strict", file])).status, 1);
  });

  test("not of those that are not used", async () => {
    const off = fileOf("off.yaml", exporter(files, false));
    assert.deepEqual((await report(off)).report.warnings, []);
    const one = fileOf("one.yaml", exporter("      tls: { ca_file: /nope/ca.pem }\n"));
    const other = { env: { OTEL_EXPORTER_OTLP_CERTIFICATE: "/other/ca.pem" } };
    assert.match((await ran(["check", one])).out, /not readable here/);
    assert.equal((await ran(["check", one], other)).out, `${one}: valid\n`);
    const console = { env: { OTEL_TRACES_EXPORTER: "console" } };
    assert.equal((await ran(["check", one], console)).out, `${one}: valid\n`);
  });
});

describe("a file of v0.1", () => {
  test("every key without effect has its place, what it is taken to do, and what happens", async () => {
    const { status, report: found } = await report(old);
    assert.equal(status, 0);
    const lines = readFileSync(old, "utf8").split("\n");
    const dead = found.warnings.filter(({ believed }) => believed !== undefined);
    assert.equal(dead.length, 16);
    for (const { line, path, believed, here } of dead) {
      assert.match(lines[Number(line) - 1]!, new RegExp(`^ *${String(path).split(".").at(-1)}:`));
      assert.ok(String(believed).length > 20 && String(here).startsWith("not "), String(path));
    }
  });

  test("keys inside lists and tables are known as well", async () => {
    const file = fileOf(
      "inner.yaml",
      "vllm_endpoints:\n  - { name: a, address: h, port: 1, health_check_path: /x }\n" +
        "model_config:\n  org/m.1:\n    preferred_endpoints: [a]\n    use_reasoning: true\ndefault_model: org/m.1\n",
    );
    const { report: found } = await report(file);
    assert.deepEqual(
      found.warnings.map(({ path, believed }) => [path, typeof believed]),
      [
        ["vllm_endpoints[0].health_check_path", "string"],
        ['model_config["org/m.1"].use_reasoning', "string"],
      ],
    );
  });

  test("the editors' schema and the page say the same", () => {
    const page = readFileSync(join(repoRoot, "docs/configuration.md"), "utf8");
    for (const [key, { believed, here }] of Object.entries(unusedKeys)) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${key}\` |`)) ?? "";
      for (const text of [believed, here])
        assert.ok(row.toLowerCase().includes(`${text}.`.toLowerCase()), key);
      assert.ok(!/\.$/.test(believed) && !/\.$/.test(here), key);
    }
  });
});
