// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the `${VAR}` of the file is what is tested
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import { problemsOf } from "./problems.ts";

const exporter = (text: string) => `observability:\n  tracing: { enabled: true, exporter:\n    { ${text} } }`;
const user = (text: string) => `observability:\n  tracing: { user_id:\n    { ${text} } }`;
const headers = "observability.tracing.exporter.headers";
const key = "observability.tracing.user_id.hash_key";
const notName = "its key is not a header name; the key is the name alone, without the value";

describe("of a secret, problems say the place and the kind", () => {
  const rows: readonly (readonly [text: string, ...want: string[]])[] = [
    [exporter('headers: "a=Bearer s3cret"'), `c.yaml:3:16 ${headers}: must be a mapping, not text`],
    [exporter("headers: 90210"), `c.yaml:3:16 ${headers}: must be a mapping, not a number`],
    [exporter("headers: [s3cret]"), `c.yaml:3:7 ${headers}: must be a mapping, not a list`],
    [
      exporter("headers: { x-a: 90210 }"),
      `c.yaml:3:23 ${headers}.x-a: must be text, not a number; put it in quotes`,
    ],
    [
      exporter("headers: { x-a: true }"),
      `c.yaml:3:23 ${headers}.x-a: must be text, not true or false; put it in quotes`,
    ],
    [exporter("headers: { x-a: { s3cret: 1 } }"), `c.yaml:3:18 ${headers}.x-a: must be text, not a mapping`],
    [exporter("headers: { x-a: }"), `c.yaml:3:23 ${headers}.x-a: must be text, not empty`],
    [exporter('headers: { "a: Bearer s3cret": x }'), `c.yaml:3:7 ${headers}[0]: ${notName}`],
    [
      exporter('headers: { x-a: b, "a: Bearer s3cret": }'),
      `c.yaml:3:7 ${headers}[1]: must be text, not empty`,
      `c.yaml:3:7 ${headers}[1]: ${notName}`,
    ],
    [
      exporter('headers: { "s3 cret": x, "S3 CRET": x }'),
      ...[0, 1].map((i) => `c.yaml:3:7 ${headers}[${i}]: ${notName}`),
    ],
    [
      exporter('headers: { x-a: "s3cret\\n" }'),
      `c.yaml:3:18 ${headers}.x-a: "x-a" has a value with a line break or another character no header can carry`,
    ],
    [user("hash_key: 90210"), `c.yaml:3:17 ${key}: must be text, not a number; put it in quotes`],
    [user("hash_key: [s3cret]"), `c.yaml:3:7 ${key}: must be text, not a list`],
    // The name of a file is none.
    [
      exporter("header_files: { x-a: 5 }"),
      "c.yaml:3:28 observability.tracing.exporter.header_files.x-a: must be text, not 5",
    ],
  ];
  for (const [text, ...want] of rows)
    test(text.split("\n").at(-1), () => assert.deepEqual(problemsOf(text), want));
});

describe("of what came from a variable, problems between keys show nothing", () => {
  const env = { V: "s3cret", URL: "s3cret://h", MS: "31000", LESS: "200" };
  const tracing = "observability.tracing";
  const [held, url, ms, less] = ["V", "URL", "MS", "LESS"].map((name) => `the value of \${${name}}`);
  const rows: readonly (readonly [text: string, ...want: string[]])[] = [
    [user('header: "${V} x"'), `c.yaml:3:15 ${tracing}.user_id.header: ${held} is not a header name`],
    [
      exporter('endpoint: "${URL}"'),
      `c.yaml:3:17 ${tracing}.exporter.endpoint: must be host:port, or a URL of http://, https:// or grpc://, not of ${url}`,
    ],
    [
      exporter('timeout_ms: "${MS}", batch: { timeout_ms: "${LESS}" }'),
      `c.yaml:3:19 ${tracing}.exporter.timeout_ms: must be at most batch.timeout_ms (${less}), not ${ms}`,
    ],
    [
      "observability: { tracing: { custom_attributes: [\n  { key: 'user.${V}', value: a }] } }",
      `c.yaml:2:10 ${tracing}.custom_attributes[0].key: ${held}: names that begin with ${held} are the router's own or a convention's; write ${held}, say`,
    ],
    [
      "observability: { tracing: { custom_attributes: [\n  { key: '${V}', env: A }, { key: s3cret, env: A }] } }",
      `c.yaml:2:35 ${tracing}.custom_attributes[1].key: duplicate key ${held}; custom_attributes[0] has it already`,
    ],
    [
      "vllm_endpoints: [\n  { name: a, address: 'http://${V}', port: 1 }]",
      `c.yaml:2:23 vllm_endpoints[0].address: must be an IP address or a DNS name without a scheme: write ${held}, not ${held}`,
    ],
    [
      "default_model: ${V}\nmodel_config: { a: { preferred_endpoints: [] } }",
      `c.yaml:1:16 default_model: no model ${held} in model_config`,
    ],
    [
      "model_config: { a: {\n  preferred_endpoints: ['x${V}${MS}'] } }",
      `c.yaml:2:25 model_config.a.preferred_endpoints[0]: no endpoint ${held} and \${MS} in vllm_endpoints`,
    ],
    // Quoted as it stands in the file.
    [user("header: 'a b'"), `c.yaml:3:15 ${tracing}.user_id.header: "a b" is not a header name`],
  ];
  for (const [text, ...want] of rows)
    test(text.split("\n").at(-1), () => assert.deepEqual(problemsOf(text, env), want));
});

describe("what YAML itself objects to is not quoted", () => {
  const rows: readonly (readonly [text: string, ...want: string[]])[] = [
    [
      user("hash_key: *s3cret"),
      "c.yaml:1:1 YAML: Unresolved alias (the anchor must be set before the alias)",
    ],
    ["observability:\n  a: |s3cret", "c.yaml:2:7 YAML: Block scalar header includes extra characters"],
    [exporter('headers: { "s3 cret": x, "s3 cret": y }'), "c.yaml:3:32 duplicate key"],
    [
      user('hash_key: "${s 3:-cret}"'),
      `c.yaml:3:17 ${key}: \${...} does not hold the name of a variable; write \${NAME} or \${NAME:-default}, or $\${ for a literal \${`,
    ],
  ];
  for (const [text, ...want] of rows)
    test(text.split("\n").at(-1) || text, () => {
      const said = problemsOf(text);
      for (const line of want) assert.ok(said.includes(line), said.join("\n"));
      assert.doesNotMatch(said.join("\n"), /s3.?cret|:-cret/);
    });

  test("nor in a warning", () => {
    const { warnings } = parseConfig(user("hash_key: !s3cret x"));
    assert.deepEqual(
      warnings.map(({ message }) => message),
      ["YAML: Unresolved tag"],
    );
  });
});
