import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { CHART, generatedFiles } from "../../scripts/chart/files.ts";
import { chartSchema } from "../../scripts/chart/schema.ts";
import { readValues } from "../../scripts/chart/values.ts";
import { ENVOY_VERSION } from "../../scripts/envoy-binary.ts";
import { textOf } from "../support/repo.ts";

describe("what is made from other files is in step", () => {
  for (const { path, text } of generatedFiles())
    test(path, () => assert.equal(textOf(path), text, "run: node scripts/chart/generate.ts"));

  test("the versions", () => {
    const chart = parse(textOf(`${CHART}/Chart.yaml`)) as { appVersion: string };
    assert.equal(chart.appVersion, (JSON.parse(textOf("package.json")) as { version: string }).version);
    const values = parse(textOf(`${CHART}/values.yaml`)) as { envoy: { image: { tag: string } } };
    assert.equal(values.envoy.image.tag, `v${ENVOY_VERSION}`);
  });
});

describe("values.yaml as it is read", () => {
  const yaml = `# About the file.

# -- First.
# @schema {"enum": ["a", "b"]}
one: a

group:
  # -- Second.
  two: { limit: 1 }
  # -- Third.
  three: []
`;
  test("every value has its path, meaning, default and schema", () => {
    assert.deepEqual(readValues(yaml), [
      { path: "one", meaning: "First.", schema: { enum: ["a", "b"] }, default: "a" },
      { path: "group.two", meaning: "Second.", schema: {}, default: { limit: 1 } },
      { path: "group.three", meaning: "Third.", schema: {}, default: [] },
    ]);
  });
  test("the schema knows these and no other", () => {
    const { properties, required, additionalProperties } = chartSchema(readValues(yaml)) as {
      properties: Record<string, { properties: object; required: string[] }>;
      required: string[];
      additionalProperties: boolean;
    };
    assert.deepEqual([required, additionalProperties], [["one", "group"], false]);
    assert.deepEqual(properties.one, { type: "string", enum: ["a", "b"], description: "First." });
    assert.deepEqual(properties.group!.properties, {
      two: { type: "object", description: "Second." },
      three: { type: "array", description: "Third." },
    });
    assert.deepEqual(properties.group!.required, ["two", "three"]);
  });

  const refused: readonly [name: string, yaml: string, says: RegExp][] = [
    ["a value without a meaning", "a: 1\n", /a has no meaning/],
    ["an empty section", "a: {}\n", /a has no meaning/],
    ["two meanings", "# -- x\n# -- y\na: 1\n", /a has more than one "# --"/],
    ["a schema that is no JSON", "# -- x\n# @schema {enum}\na: 1\n", /"# @schema" of a is no JSON/],
  ];
  for (const [name, text, says] of refused)
    test(`${name} is refused`, () => assert.throws(() => readValues(text), says));
});
