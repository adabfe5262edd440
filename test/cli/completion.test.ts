// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the `${VAR}` of the file, or of a shell, is what is tested
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { commands } from "../../src/cli/commands.ts";
import { ran } from "./run.ts";

// The script of bash is run in a bash. Those of zsh and fish are not run: what they offer is held against the table.

const folder = mkdtempSync(join(tmpdir(), "completion-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const options = async (name: string): Promise<string[]> => [
  ...Object.keys((await commands[name]!.load()).options).map((option) => `--${option}`),
  "--help",
];
const firstWords = [...new Set(Object.keys(commands).map((name) => name.split(" ")[0]!)), "help"];

const scriptOf = async (shell: string): Promise<string> => {
  const { status, out, err } = await ran(["completion", shell]);
  assert.deepEqual([status, err], [0, ""]);
  return out;
};

describe("bash", () => {
  let file: string;
  before(async () => {
    file = join(folder, "completion.bash");
    writeFileSync(file, await scriptOf("bash"));
    for (const name of ["my.yaml", "my own.yaml", "other.yaml"]) writeFileSync(join(folder, name), "");
    mkdirSync(join(folder, "models"));
  });

  /** What bash offers for the last of these words. */
  function offered(...words: readonly string[]): string[] {
    const ask =
      'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _semantic_router; printf "%s\\n" "${COMPREPLY[@]}"';
    const { status, stdout, stderr } = spawnSync(
      "bash",
      ["--norc", "-c", ask, "bash", file, "semantic-router", ...words],
      { cwd: folder, encoding: "utf8" },
    );
    assert.deepEqual([status, stderr], [0, ""]);
    return stdout.split("\n").filter((line) => line !== "");
  }

  test("first every command, and the options of serve", async () => {
    assert.deepEqual(offered(""), [...firstWords, ...(await options("serve")), "--version"]);
    assert.deepEqual(offered("co"), ["config", "completion"]);
    assert.deepEqual(offered("config", ""), ["show", "diff", "--help"]);
    assert.deepEqual(offered("envoy", "r"), ["render"]);
    assert.deepEqual(offered("help", "ch"), ["check"]);
    assert.deepEqual(offered("help", "config", ""), ["show", "diff"]);
    assert.deepEqual(offered("help", "envoy", "r"), ["render"]);
    assert.deepEqual(offered("help", "check", ""), []);
    assert.deepEqual(offered("help", "config", "show", ""), []);
  });

  for (const name of Object.keys(commands))
    test(`the options of ${name} are those it has`, async () => {
      assert.deepEqual(offered(...name.split(" "), "--"), await options(name));
    });

  test("options without a command are those of serve", async () => {
    assert.deepEqual(offered("--config", "my.yaml", "--"), await options("serve"));
  });

  test("values: files, folders, words, or nothing", () => {
    const files = ["my own.yaml", "my.yaml"];
    for (const words of [
      ["check"],
      ["config", "diff"],
      ["explain", "--config"],
      ["--config"],
      ["explain", "--config", "="],
    ])
      assert.deepEqual(offered(...words, "my").sort(), files, words.join(" "));
    assert.deepEqual(offered("--config", "=").sort().slice(0, 2), ["completion.bash", "models"]);
    assert.deepEqual(offered("classify", "--model", "m"), ["models"]);
    assert.deepEqual(offered("completion", ""), ["bash", "zsh", "fish"]);
    assert.deepEqual(offered("--listen", ""), []);
    assert.deepEqual(offered("classify", "--workers", ""), []);
  });

  test("is registered for the command", () => {
    const { stdout } = spawnSync(
      "bash",
      ["--norc", "-c", 'source "$1"; complete -p semantic-router', "bash", file],
      {
        encoding: "utf8",
      },
    );
    assert.equal(stdout, "complete -F _semantic_router semantic-router\n");
  });
});

describe("zsh", () => {
  test("has every command with its summary, and every option", async () => {
    const script = await scriptOf("zsh");
    assert.match(script, /^#compdef semantic-router\n/);
    for (const [name, { load }] of Object.entries(commands)) {
      const [, specs = ""] = new RegExp(`^ {4}"${name}"\\) _arguments (.*) ;;$`, "m").exec(script) ?? [];
      for (const [option, { type }] of Object.entries((await load()).options))
        assert.match(
          specs,
          new RegExp(`'\\*?--${option}${type === "string" ? "=" : ""}\\[`),
          `${name} ${option}`,
        );
      const [first, second] = name.split(" ");
      if (second === undefined) assert.match(script, new RegExp(`^ {6}'${first}:.+'$`, "m"));
      else assert.match(script, new RegExp(`^ {4}${first}\\)\n[^]*?'${second}:.+'$`, "m"));
    }
    const groups = Object.keys(commands).filter((name) => name.includes(" "));
    const described = 1 + new Set(groups.map((name) => name.split(" ")[0])).size;
    assert.equal(script.match(/_describe command known/g)!.length, described);
    assert.match(script, /--model=\[[^\]]*\]:model:_files -\/'/);
    assert.match(script, /'\*:argument:\(bash zsh fish\)'/);
    assert.match(script, /^ {4}"help"\)\n[\s\S]*^ {8}3\\ config\) compadd -- show diff ;;$/m);
  });
});

describe("fish", () => {
  test("has every command with its summary, and every option", async () => {
    const lines = (await scriptOf("fish")).split("\n");
    const find = (start: string) =>
      lines.filter((line) => line.startsWith(`complete -c semantic-router ${start}`));
    for (const [name, { load }] of Object.entries(commands)) {
      const [first, second] = name.split(" ");
      const at = second === undefined ? "__semantic_router_at" : `__semantic_router_at ${first}`;
      assert.equal(find(`-n '${at}' -a ${second ?? first} -d '`).length, 1, name);
      if (second !== undefined)
        assert.equal(find(`-n '__semantic_router_at help ${first}' -a ${second} -d '`).length, 1, name);
      for (const [option, { type, value }] of Object.entries((await load()).options)) {
        const [line, ...more] = find(`-n '__semantic_router_at ${name}' -l ${option} -d '`);
        assert.deepEqual(more, []);
        const ending = type === "boolean" ? /'$/ : value === "FILE" ? / -r -F$/ : / -x(?: -a '.*')?$/;
        assert.match(line!, ending);
      }
    }
  });
});

test("another shell is a usage error that names those there are", async () => {
  const { status, err } = await ran(["completion", "tcsh"]);
  assert.equal(status, 2);
  assert.match(err, /the shell must be one of bash, zsh, fish, not "tcsh"/);
});
