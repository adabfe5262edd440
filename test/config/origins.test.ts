// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the `${VAR}` of the file is what is tested
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import { isDefault, withoutVariables } from "../../src/config/origins.ts";
import type { Path } from "../../src/config/problem.ts";

const text = [
  "vllm_endpoints: [{ name: '${NAME}', address: h, port: 80 }]",
  "model_config: { m: { preferred_endpoints: ['${NAME}'] } }",
  "observability: { tracing: { exporter: { headers: { x-a: '${KEY}' }, timeout_ms: 10000, endpoint: } } }",
].join("\n");
const { config } = parseConfig(text, { env: { NAME: "Blue-1", KEY: "s3cret" } });

test("a value from a variable is not said, in whatever kind of place it stands", () => {
  const exporter = ["observability", "tracing", "exporter"];
  const rows: readonly (readonly [path: Path, message: string, want: string])[] = [
    [["vllm_endpoints", 0, "name"], 'no "Blue-1"', "no the value of ${NAME}"],
    [
      ["vllm_endpoints", 0, "name"],
      'write "blue", not "Blue-1"',
      "write the value of ${NAME}, not the value of ${NAME}",
    ],
    [["model_config", "m", "preferred_endpoints", 0], 'no "Blue"', "no the value of ${NAME}"],
    [[...exporter, "headers", "x-a"], 'not "cret"', "not the value of ${KEY}"],
    // Elsewhere only the whole of it is.
    [["vllm_endpoints", 0, "port"], 'not 80, "Blue-1", "Blue"', 'not 80, the value of ${NAME}, "Blue"'],
    [[...exporter, "headers", 7], 'not "cret"', 'not "cret"'],
    [["nowhere", "at", "all"], "not 7", "not 7"],
  ];
  for (const [path, message, want] of rows) {
    const said: string[] = [];
    const report = withoutVariables(config, {
      problem: (_, message) => void said.push(message),
      warn: (_, message) => void said.push(message),
    });
    report.problem(path, message);
    report.warn(path, message);
    assert.deepEqual(said, [want, want], message);
  }
});

test("a default is what the file does not give, even where it gives the same", () => {
  const { exporter } = config.observability.tracing;
  assert.equal(isDefault(exporter, "timeout_ms"), false);
  assert.equal(isDefault(exporter, "endpoint"), true);
  assert.equal(isDefault(exporter.batch, "timeout_ms"), true);
});
