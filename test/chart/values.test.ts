import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { CHART } from "../../scripts/chart/files.ts";
import { readValues } from "../../scripts/chart/values.ts";
import { filesUnder, textOf } from "../support/repo.ts";
import { changes } from "./changes.ts";
import { helmMissing, modes, objects, only, template, withValue } from "./helm.ts";

const values = readValues(textOf(`${CHART}/values.yaml`));
const templates = filesUnder(`${CHART}/templates`, /./).map(textOf).join("\n");

describe("every documented value", () => {
  test("has a row in the table of changes, and no row is left over", () => {
    assert.deepEqual(
      Object.keys(changes),
      values.map(({ path }) => path),
    );
  });

  // Some are read through the section they stand in, such as .Values.image, or through a variable for it.
  for (const { path } of values)
    test(`${path} is read by a template`, () => {
      const keys = path.split(".");
      const whole = templates.includes(`.Values.${path}`);
      const section = keys.slice(0, -1).join(".");
      assert.ok(
        whole ||
          (section !== "" &&
            templates.includes(`.Values.${section} `) &&
            templates.includes(`.${keys.at(-1)}`)),
      );
    });

  describe("changes what is installed", { skip: helmMissing }, () => {
    for (const [path, { to, with: others = {} }] of Object.entries(changes))
      test(path, () => {
        const before = template(others);
        const after = template(withValue(others, path, to));
        assert.equal(before.status, 0, before.stderr);
        assert.equal(after.status, 0, after.stderr);
        assert.notEqual(before.stdout, after.stdout);
      });
  });
});

describe("values that Helm would write another way", { skip: helmMissing }, () => {
  test("large and small numbers, words that YAML takes for something else, and variables arrive as they are", () => {
    const config = {
      // The chart would set it otherwise.
      server: { drain_seconds: 30 },
      limits: { max_body_bytes: 33_554_432 },
      observability: { tracing: { sampling: { rate: 0.000001 } } },
      default_model: `\${MODEL:-on}`,
      model_config: { on: { loras: [{ name: "yes" }, { name: "1e3" }, { name: "0123" }, { name: "~" }] } },
      categories: [
        {
          name: "x",
          model_scores: [{ model: "on", score: 1, use_reasoning: false }],
          system_prompt: "a: b\n # c\n\n  d\t'\"{{ .Values }}",
        },
      ],
    };
    for (const mode of modes) {
      const { data } = only(objects({ mode, config }), "ConfigMap", "demo-semantic-router");
      for (const version of ["1.1", "1.2"] as const)
        assert.deepEqual(parse(data!["config.yaml"]!, { version }), config, `${mode}, YAML ${version}`);
      assert.match(data!["config.yaml"]!, /max_body_bytes: 33554432\n/);
    }
  });
});
