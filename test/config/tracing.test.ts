import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import { describe as said } from "../../src/config/problem.ts";
import { problemsOf } from "./problems.ts";

const file = (tracing: string) => `observability:\n  tracing:\n    ${tracing}`;
const attributes = (list: string) => file(`custom_attributes: ${list}`);
const own = "observability.tracing.custom_attributes";

describe("custom attributes", () => {
  const rows: readonly (readonly [list: string, ...want: string[]])[] = [
    ["[{ key: customer.tier, header: x-tier }, { key: region, env: REGION }, { key: app.flag, value: a }]"],
    ["[{ key: a }]", `c.yaml:3:25 ${own}[0]: needs exactly one of header, env and value, not none`],
    [
      "[{ key: a, header: x-a, value: b }]",
      `c.yaml:3:25 ${own}[0]: needs exactly one of header, env and value, not header and value`,
    ],
    [
      "[{ key: a, header: authorization }]",
      `c.yaml:3:43 ${own}[0].header: "authorization" carries credentials, which never become attributes`,
    ],
    [
      "[{ key: a, header: traceparent }]",
      `c.yaml:3:43 ${own}[0].header: "traceparent" belongs to tracing itself`,
    ],
    ['[{ key: a, header: ":path" }]', `c.yaml:3:43 ${own}[0].header: ":path" is not a header name`],
    ["[{ key: a, header: X-Tier }]", `c.yaml:3:43 ${own}[0].header: "X-Tier" must be in lower case: x-tier`],
    [
      "[{ key: user.tier, value: a }]",
      `c.yaml:3:32 ${own}[0].key: "user.tier": names that begin with "user" are the router's own or a convention's; write "app.user.tier", say`,
    ],
    [
      "[{ key: a, value: b }, { key: b, value: b }, { key: a, env: C }]",
      `c.yaml:3:76 ${own}[2].key: duplicate key "a"; custom_attributes[0] has it already`,
    ],
    [
      "[{ key: Tier, value: a }]",
      `c.yaml:3:32 ${own}[0].key: expected words of a-z, 0-9 and _ joined by dots, such as customer.tier, not "Tier"`,
    ],
    ["[{ key: a, valeu: b, value: c }]", `c.yaml:3:35 ${own}[0].valeu: unknown key; did you mean "value"?`],
  ];
  for (const [list, ...want] of rows) test(list, () => assert.deepEqual(problemsOf(attributes(list)), want));

  const credentials = "authorization proxy-authorization cookie set-cookie x-api-key api-key";
  const tracing = "traceparent tracestate baggage";
  for (const header of `${credentials} ${tracing}`.split(" ")) {
    test(`the header ${header} becomes none, in any case`, () => {
      for (const name of [header, header.toUpperCase()])
        assert.equal(problemsOf(attributes(`[{ key: a, header: ${name} }]`)).length, 1);
    });
  }

  const page = readFileSync(new URL("../../docs/trace.md", import.meta.url), "utf8");
  const names = [...page.matchAll(/^\| `([a-z_]+(?:\.[a-z_.]+)?)` \| (?:string|int|double|bool)/gm)];
  const conventions = ["openinference.span.kind", "llm.model_name", "traceloop.span.kind", "input.value"];
  test("no name that spans carry by themselves is free", () => {
    assert.ok(names.length > 60, `${names.length} names`);
    for (const key of [...names.map(([, name]) => name), ...conventions, "service.name"])
      assert.equal(problemsOf(attributes(`[{ key: ${key}, value: a }]`)).length, 1, key);
  });
});

describe("whom and what spans tell of", () => {
  const user = (text: string) => file(`user_id: ${text}`);
  const path = "observability.tracing.user_id";
  test("a credential is recorded as a hash or not at all", () => {
    assert.deepEqual(problemsOf(user("{ header: authorization }")), []);
    assert.deepEqual(problemsOf(user("{ header: authorization, hash: false }")), [
      `c.yaml:3:24 ${path}.header: "authorization" carries credentials, which never become attributes`,
    ]);
  });

  const warnings: readonly (readonly [text: string, ...want: string[]])[] = [
    [user("{ hash_key: k }")],
    [user("{ hash: false, hash_key: k }"), `c.yaml:3:29 ${path}.hash_key: has no effect with hash: false`],
    [file("capture_content: true")],
    [
      file("{ enabled: true, capture_content: true }"),
      "c.yaml:3:22 observability.tracing.capture_content: is on: prompts and answers leave with the spans, and whoever reads traces reads them",
    ],
    [file("{ enabled: true, provider: openinference }")],
    [
      file("sampling: { rate: 0.1 }"),
      "c.yaml:3:23 observability.tracing.sampling.rate: has no effect with type: always_on; write type: probabilistic",
    ],
    [file("sampling: { type: probabilistic, rate: 0.1 }")],
  ];
  for (const [text, ...want] of warnings) {
    test(`${text.split("\n").at(-1)} warns ${want.length} times`, () => {
      assert.deepEqual(
        parseConfig(text).warnings.map((warning) => said(warning, "c.yaml")),
        want,
      );
    });
  }
});
