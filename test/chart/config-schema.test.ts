import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { configSchema } from "../../scripts/chart/schema.ts";
import { parseConfig } from "../../src/config/load.ts";
import { unusedKeys } from "../../src/config/unused.ts";
import { filesUnder, textOf } from "../support/repo.ts";

const takes = new Ajv({ strict: false, allowUnionTypes: true }).compile(configSchema());

/** What the loader takes, the chart must take: a file that works elsewhere installs. */
describe("the schema of `config` gives the freedom that the loader gives", () => {
  const samples = filesUnder("examples/config", /\.yaml$/);
  assert.ok(samples.length > 0);
  for (const path of samples)
    test(path, () => assert.ok(takes(parse(textOf(path))), JSON.stringify(takes.errors)));

  const rows: readonly [name: string, yaml: string, isFine: boolean][] = [
    ["a variable for a number", `limits: { max_json_depth: "\${DEPTH:-9}" }`, true],
    ["a variable for a flag", `clear_route_cache: "\${CLEAR:-true}"`, true],
    ["a variable for a word", `logging: { level: "\${LEVEL:-info}" }`, true],
    ["a variable for a number of few", `security: { block_status: "\${STATUS:-200}" }`, true],
    ["a variable for a share", `observability: { tracing: { sampling: { rate: "\${RATE:-0.1}" } } }`, true],
    ["a variable in a text with a form", `server: { listen: "\${HOST:-0.0.0.0}:50051" }`, true],
    ["a key without a value", "logging:\nlimits:\n  max_json_depth:\n", true],
    ["an empty text", `logging: { level: "" }\nlimits: { max_json_depth: "" }`, true],
    ["a number of few", "security: { block_status: 200 }", true],
    ["another number", "security: { block_status: 418 }", false],
    ["a number as text", `limits: { max_json_depth: "9" }`, false],
    ["a number out of range", "limits: { max_json_depth: 1 }", false],
    ["a word that is not known", "logging: { level: loud }", false],
    ["a flag as text", `clear_route_cache: "true"`, false],
    ["an unknown key", "logging: { levels: info }", false],
    ["a text where a section belongs", "logging: info", false],
    ["a number where a text belongs", "default_reasoning_effort: 1", false],
  ];
  for (const [name, yaml, isFine] of rows)
    test(`${name} is ${isFine ? "fine" : "refused"}, by both`, () => {
      assert.equal(takes(parse(yaml)), isFine, JSON.stringify(takes.errors));
      if (isFine) parseConfig(yaml);
      else assert.throws(() => parseConfig(yaml));
    });

  test("keys without effect are taken as the loader takes them", () => {
    const all = Object.keys(unusedKeys).filter((key) => !key.includes("."));
    assert.ok(all.length > 0);
    for (const key of all) assert.ok(takes({ [key]: { anything: [1] } }), key);
  });
});
