import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { configDiff } from "../../src/cli/config-diff.ts";
import { aspects } from "../../src/cli/diff-route.ts";
import { explain } from "../../src/cli/explain.ts";
import { blocksOf, codeIn, rowsOf, section } from "../docs/markdown.ts";
import { repoRoot } from "../support/repo.ts";
import { scratchFolder } from "../support/scratch.ts";
import { explained, requestOf, runs } from "./explain-runs.ts";

// docs/explain.md: its samples as a user runs them, with the real model, and its tables.

const page = "docs/explain.md";
const { folder, put } = scratchFolder("explain-docs");
cpSync(join(repoRoot, "examples/config"), join(folder, "examples/config"), { recursive: true });
const script = join(repoRoot, "scripts", "semantic-router.mjs");

function shell(command: string) {
  const line = command.replaceAll("npx semantic-router", `"${process.execPath}" "${script}"`);
  const { stdout, stderr, status } = spawnSync("/bin/sh", ["-c", line], { cwd: folder, encoding: "utf8" });
  return { stdout, stderr, status };
}

/** Scores differ from machine to machine, in their last digits and so in the order of small ones. */
const masked = (text: string) =>
  text
    .split("\n")
    .filter((line) => !/^ {12}(?:[a-z]+(?: [a-z]+)? 0\.\d{4}(?: {2}|$))+$/.test(line))
    .join("\n")
    .replace(/0\.\d{4}/g, "#")
    .replace(/ahead of (?!the)\w+/g, "ahead of #");

describe("its samples", () => {
  for (const { text } of blocksOf(page, "console")) {
    const lines = text.split("\n");
    const commands = lines.filter((line) => line.startsWith("$ ")).map((line) => line.slice(2));
    const shown = lines.filter((line) => !line.startsWith("$ ")).join("\n");
    test(commands.at(-1)!, () => {
      const said = commands.map((command) => {
        const { stdout, stderr, status } = shell(command);
        assert.deepEqual([status, stderr], [0, ""]);
        return stdout;
      });
      assert.equal(masked(said.join("").trimEnd()), masked(shown));
    });
  }

  test("ends, quietly, when its reader goes", () => {
    put("many.txt", "What is the derivative of x^2?\n".repeat(300));
    const v01 = "examples/config/vllm-semantic-router-v0.1.yaml";
    const { stdout, stderr } = shell(
      `{ npx semantic-router config diff examples/config/quickstart.yaml ${v01} --prompts many.txt; echo "status $?" >&2; } | head -n 1`,
    );
    assert.equal(stdout.split("\n").length, 2);
    assert.equal(stderr, "status 0\n");
  });
});

describe("its tables", () => {
  const first = (heading: string) => rowsOf(section(page, heading)).map(([cell]) => codeIn(cell!)[0]!);

  test("the options are those of the commands", () => {
    const listed = (heading: string) =>
      first(heading).flatMap((code) => (code.startsWith("--") ? [code.slice(2).split(" ")[0]!] : []));
    assert.deepEqual(listed("## explain"), Object.keys(explain.options));
    assert.deepEqual(listed("## config diff"), Object.keys(configDiff.options));
  });

  test("what is compared", () => {
    const listed = first("## config diff").filter((code) => !code.startsWith("--"));
    assert.deepEqual(
      listed,
      aspects.map((aspect) => aspect.replace("_", " ")),
    );
  });

  test("the fields of the JSON", async () => {
    const config = `
vllm_endpoints: [{ name: one, address: a, port: 1 }]
model_config: { calc: { preferred_endpoints: [one], pii_policy: { allow_by_default: true } } }
categories:
  - name: math
    system_prompt: You are exact.
    model_scores: [{ model: calc, score: 1, use_reasoning: true }]
keyword_rules: [{ category: math, operator: OR, keywords: [sum] }]
prompt_guard: { enabled: true }
classifier: { pii_model: {} }
`;
    const all = [await explained(config, "a sum for x@y"), await explained(config, "ATTACK")];
    assert.deepEqual(
      [...new Set(first("### As JSON"))],
      [...new Set(all.flatMap((one) => [...fieldsOf(one)]))].sort(inOrderOf(first("### As JSON"))),
    );
  });

  const inOrderOf = (listed: readonly string[]) => (a: string, b: string) =>
    listed.indexOf(a) - listed.indexOf(b);

  test("the blocks of the text", async () => {
    const labels = new Set<string>();
    for (const asked of ["What is 2 + 2?", "Mail ann@example.org"]) {
      const file = put("asked.json", requestOf(asked).body);
      const { out } = await runs(explain, ["--request", file, "--config", "examples/config/quickstart.yaml"]);
      for (const [, label] of out.matchAll(/^(\S+(?: \S+)?) {2}/gm)) labels.add(label!);
    }
    const listed = rowsOf(section(page, "## explain").split("### As JSON")[0]!)
      .flatMap(([cell]) => codeIn(cell!))
      .filter((code) => /^[a-z0-9 ]+$/.test(code));
    // The cache has nothing to tell.
    assert.deepEqual([...labels].filter((label) => label !== "cache").sort(), listed.sort());
  });
});

/** Of objects, any of which has the same fields. */
const lists = /(?:\.scores|candidates)$/;
/** Tables whose keys are names, which have no row each. */
const tables = /(?:category_scores|may_not_see|not_run|headers|fields|answer\.body)$/;

/** `a.b`, `a.c[].d`: the leaves of an object; null has none, where another one tells more. */
function* fieldsOf(value: unknown, path = ""): Generator<string> {
  if (lists.test(path)) {
    for (const one of value as readonly unknown[]) yield* fieldsOf(one, `${path}[]`);
  } else if (typeof value === "object" && value !== null && !Array.isArray(value) && !tables.test(path))
    for (const [key, inner] of Object.entries(value))
      yield* fieldsOf(inner, path === "" ? key : `${path}.${key}`);
  else if (value !== null || !parts.has(path)) yield path;
}

const parts = new Set(
  [
    "classification classification.keyword_rule pii_detection jailbreak_detection routing_decision",
    "routing_decision.reasoning backend_selection upstream upstream.body.system_prompt answer",
  ]
    .join(" ")
    .split(" "),
);
