import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { commands } from "../../src/cli/commands.ts";
import { blocksOf, proseOf, rowsOf } from "../docs/markdown.ts";
import { repoRoot, textOf } from "../support/repo.ts";

// The command as a user runs it, and the page about it: real processes, the real model.

const folder = mkdtempSync(join(tmpdir(), "command-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const script = join(repoRoot, "scripts", "semantic-router.mjs");
const about = JSON.parse(textOf("models/encoder.json")) as {
  labels: string[];
  thresholds: Record<string, number>;
};

function run(args: readonly string[], { input = "", file = script, cwd = repoRoot, env = {} } = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    cwd,
    input,
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

function shell(command: string) {
  const line = command.replaceAll("npx semantic-router", `"${process.execPath}" "${script}"`);
  return spawnSync("/bin/sh", ["-c", line], { cwd: folder, encoding: "utf8" });
}

interface Answer {
  readonly category: string;
  readonly category_scores: Record<string, number>;
  readonly jailbreak_score: number;
  readonly jailbreak: boolean;
  readonly pii: readonly object[];
}

describe("semantic-router classify", () => {
  test("one text", () => {
    const { status, stdout, stderr } = run(["classify", "😀 Write to ann@example.org"]);
    assert.equal(stderr, "");
    assert.equal(status, 0);
    const answer = JSON.parse(stdout) as Answer;
    const { category, category_scores: scores } = answer;
    assert.deepEqual(Object.keys(answer), [
      ...["category", "category_scores", "jailbreak_score", "jailbreak", "pii"],
    ]);
    assert.deepEqual(Object.keys(scores), about.labels);
    assert.ok(Math.abs(Object.values(scores).reduce((a, b) => a + b, 0) - 1) < 1e-4);
    assert.equal(scores[category], Math.max(...Object.values(scores)));
    assert.equal(answer.jailbreak, answer.jailbreak_score >= about.thresholds.jailbreak!);
    assert.ok(
      answer.pii.some((one) => {
        const { score, ...rest } = one as { score: number };
        return (
          score > 0.5 &&
          JSON.stringify(rest) === '{"type":"EMAIL_ADDRESS","start":12,"end":27,"by":"recogniser"}'
        );
      }),
      JSON.stringify(answer.pii),
    );
  });

  test("lines, with more than one thread: as many out as in, in order", () => {
    const numbers = Array.from({ length: 60 }, (_, i) => i);
    const input = numbers
      .map((i) => {
        if (i % 10 === 3) return '{"text":7}';
        if (i % 10 === 7) return `{"a":"Is ${i} a prime?","b":"Is ${i} a prime?"}`;
        return JSON.stringify({ text: `${"word ".repeat((i * 37) % 50)}x${i}@example.org` });
      })
      .join("\n");
    const { status, stdout, stderr } = run(["classify", "--jsonl", "--workers", "2"], { input });
    const answers = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(answers.length, 60);
    for (const [i, answer] of answers.entries()) {
      if (i % 10 === 3) assert.equal(answer.line, i + 1);
      else if (i % 10 === 7) assert.deepEqual([answer.similarity, answer.match], [1, true]);
      else {
        const [mail] = (answer.pii as { type: string; start: number }[]).filter(
          ({ type }) => type === "EMAIL_ADDRESS",
        );
        assert.equal(mail?.start, 5 * ((i * 37) % 50), String(i));
      }
    }
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^semantic-router classify: 6 of 60 lines could not be classified; the first is line 4: "text" must/,
    );
  });

  test("--threads and --model reach the model", () => {
    const models = join(repoRoot, "models");
    const { status, stderr } = run(["classify", "--threads", "2", "--model", models, "text"]);
    assert.equal(status, 0, stderr);
    const gone = run(["classify", "--model", "/nowhere", "text"]);
    assert.equal(gone.status, 1);
    assert.match(gone.stderr, /^semantic-router classify: .*\/nowhere.*\n$/);
  });

  test("ends, quietly, when its reader goes", () => {
    const { stdout, stderr } = shell(
      `yes '{"text":"x"}' | { npx semantic-router classify --jsonl --workers 1; echo "status $?" >&2; } | head -n 1`,
    );
    assert.equal(stdout.split("\n").length, 2);
    assert.match(stderr, /^status 0\n(?:.*Broken pipe.*\n)?$/);
  });

  test("a usage error has exit status 2; the router's own help names the command", () => {
    assert.equal(run(["classify", "--nope"]).status, 2);
    assert.match(run(["--help"]).stdout, /^ {2}classify /m);
  });

  test("a directory as standard input is a usage error", () => {
    const { status, stdout, stderr } = shell("npx semantic-router classify --jsonl </");
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(
      stderr,
      /^semantic-router classify: standard input is a directory: give .* \(semantic-router classify --help shows how\)\n$/,
    );
  });

  for (const args of ["check -", "explain --request -"])
    test(`a directory as standard input of ${args} is told`, () => {
      const { status, stdout, stderr } = shell(`npx semantic-router ${args} </`);
      const name = args.split(" ")[0];
      const line = `semantic-router ${name}: cannot read standard input: it is a directory\n`;
      assert.deepEqual([status, stdout, stderr], [1, "", line]);
    });

  test("what the shell leaves of a command that cannot be understood", () => {
    const { status, stdout, stderr } = shell("npx semantic-router clasify x");
    assert.deepEqual(
      [status, stdout, stderr],
      [
        2,
        "",
        'semantic-router: unknown command "clasify"; did you mean "classify"? (semantic-router --help shows how)\n',
      ],
    );
  });
});

describe("the command itself", () => {
  /** The command's file in a package of its own; `files` say which of sources and build they are. */
  function packaged(at: string, files: readonly string[]): string {
    const root = join(folder, at);
    for (const file of ["scripts/semantic-router.mjs", "scripts/with-node.mjs"]) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      cpSync(join(repoRoot, file), join(root, file));
    }
    for (const file of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), `console.log("${file}", ...process.argv.slice(2));`);
    }
    writeFileSync(join(root, "package.json"), '{"type":"module","config":{"processor_flags":""}}');
    const lock = JSON.stringify({ packages: { "": {} } });
    writeFileSync(join(root, "package-lock.json"), lock);
    mkdirSync(join(root, "node_modules"), { recursive: true });
    writeFileSync(join(root, "node_modules/.package-lock.json"), lock);
    return join(root, "scripts/semantic-router.mjs");
  }
  const both = ["src/main.ts", "dist/main.js"];

  test("runs the sources of a checkout, from any folder", () => {
    const file = packaged("checkout", both);
    assert.equal(run(["a", "--b"], { file, cwd: tmpdir() }).stdout, "src/main.ts a --b\n");
  });

  test("runs what was built where it is installed", () => {
    const file = packaged("node_modules/router", both);
    assert.equal(run(["a", "--b"], { file, cwd: tmpdir() }).stdout, "dist/main.js a --b\n");
    const { status, stderr } = run([], { file: packaged("node_modules/unbuilt", ["src/main.ts"]) });
    assert.equal(status, 1);
    assert.match(stderr, /main\.js is missing: this package was packed without npm run build/);
  });

  test("npx finds it in a checkout, without a network", () => {
    const { status, stdout, stderr } = spawnSync("npx", ["semantic-router", "--version"], {
      cwd: repoRoot,
      encoding: "utf8",
      env: {
        ...process.env,
        npm_config_cache: join(folder, "npm"),
        npm_config_registry: "http://127.0.0.1:9",
        npm_config_update_notifier: "false",
      },
    });
    assert.equal(status, 0, stderr);
    assert.equal(stdout, `${(JSON.parse(textOf("package.json")) as { version: string }).version}\n`);
  });
});

describe("docs/command-line.md", () => {
  const page = "docs/command-line.md";
  before(() => {
    symlinkSync(join(repoRoot, "examples"), join(folder, "examples"));
    writeFileSync(join(folder, "my.yaml"), blocksOf("README.md", "yaml")[0]!.text);
  });
  /** Scores and times differ from machine to machine; all else is as the page shows it. */
  const masked = (text: string) =>
    text.replace(/"(?!(?:start|end|line|column)")([^"]+)":-?[\d.e-]+/g, '"$1":#');
  for (const { text } of blocksOf(page, "console")) {
    const [command, ...shown] = text.split("\n");
    test(command!, () => {
      assert.ok(command!.startsWith("$ "));
      const { stdout, stderr } = shell(command!.slice(2));
      assert.equal(masked((stdout || stderr).trimEnd()), masked(shown.join("\n")));
    });
  }

  const part = (name: string): string =>
    proseOf(page)
      .split(/^## /m)
      .find((text) => text.startsWith(`${name}\n`)) ?? "";
  const elsewhere = ["explain", "config diff"];
  test("it lists every command", () => {
    const listed = rowsOf(textOf(page).split("## serve")[0]!).flatMap(
      ([name]) => /^\[`([^`]+)`\]/.exec(name!)?.[1] ?? [],
    );
    assert.deepEqual(listed, Object.keys(commands));
  });
  for (const [name, { load }] of Object.entries(commands)) {
    if (elsewhere.includes(name)) continue;
    test(`the options of ${name} are those it has, in their order`, async () => {
      const { options } = await load();
      const rows = rowsOf(part(name)).flatMap(([option]) => /^`(--.*)`$/.exec(option!)?.[1] ?? []);
      const known = Object.entries(options).map(
        ([option, { value }]) => `--${option}${value ? ` ${value}` : ""}`,
      );
      assert.deepEqual(rows, known);
    });
  }
});
