import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { customAttributes } from "../../src/telemetry/custom-attributes.ts";
import { finishing } from "../../src/telemetry/finishing.ts";
import { userIdOf } from "../../src/telemetry/user-id.ts";
import { attributesOf, configOf, newTrace } from "../support/pipeline.ts";

const policyOf = (list: string) =>
  configOf(`observability: { tracing: { enabled: true, custom_attributes: [${list}] } }`).observability
    .tracing;

/** What the attributes of `list` set, on the root and on a child, once the exchange is finished. */
function observe(
  list: string,
  headers: Record<string, string> = {},
  env: Record<string, string> = {},
  recording = true,
) {
  const policy = policyOf(list);
  const at = newTrace({ flags: recording ? 1 : 0 });
  customAttributes(policy.custom_attributes, env)(at, (name) => headers[name]);
  const child = at.open("semantic_router.classification");
  finishing(policy)?.(at);
  return { root: attributesOf(at.root), child: attributesOf(child) };
}

describe("where a value comes from", () => {
  const cases: readonly [string, Parameters<typeof observe>, unknown][] = [
    ["the file", ["{ key: a, value: x }"], "x"],
    ["a header", ["{ key: a, header: x-tier }", { "x-tier": "gold" }], "gold"],
    ["no header: no attribute", ["{ key: a, header: x-tier }"], undefined],
    ["an empty header: none", ["{ key: a, header: x-tier }", { "x-tier": "" }], undefined],
    ["the environment", ["{ key: a, env: REGION }", {}, { REGION: "eu" }], "eu"],
    ["no such variable: none", ["{ key: a, env: REGION }"], undefined],
    ["cut", ["{ key: a, header: h, max_length: 3 }", { h: "abcdef" }], "abc"],
    ["cut between characters", ["{ key: a, header: h, max_length: 3 }", { h: "ab😀cd" }], "ab"],
    [
      "long, where that is asked for",
      ["{ key: a, header: h, max_length: 1000 }", { h: "x".repeat(1001) }],
      "x".repeat(1000),
    ],
    ["allowed", ["{ key: a, header: h, allowed_values: [gold, silver] }", { h: "silver" }], "silver"],
    [
      "not allowed",
      ["{ key: a, header: h, allowed_values: [gold, silver] }", { h: "me@example.com" }],
      "other",
    ],
    [
      "not allowed, by the environment",
      ["{ key: a, env: E, allowed_values: [eu] }", {}, { E: "us" }],
      "other",
    ],
    ["absent is not other", ["{ key: a, header: h, allowed_values: [gold] }"], undefined],
  ];
  for (const [name, given, expected] of cases) {
    test(name, () => assert.equal(observe(...given).root.a, expected));
  }

  test("the environment is read once, at the start", () => {
    const env: Record<string, string> = { REGION: "eu" };
    const set = customAttributes(policyOf("{ key: a, env: REGION }").custom_attributes, env);
    env.REGION = "us";
    const at = newTrace();
    set(at, () => undefined);
    assert.equal(attributesOf(at.root).a, "eu");
  });
});

test("the root alone, or all spans", () => {
  const { root, child } = observe("{ key: a, value: x }, { key: b, header: h, spans: all }", { h: "y" });
  assert.deepEqual(root, { a: "x", b: "y" });
  assert.deepEqual(child, { b: "y" });
});

test("an exchange that is not recorded is not asked", () => {
  const at = newTrace({ flags: 0 });
  const asked: string[] = [];
  customAttributes(policyOf("{ key: a, header: h, spans: all }").custom_attributes, {})(at, (name) => {
    asked.push(name);
    return "x";
  });
  assert.deepEqual([asked, at.shared, at.root.attributes], [[], undefined, []]);
});

describe("user.id", () => {
  const hashed = userIdOf({ hash: true, hash_key: "k" });
  test("is a keyed hash, the same wherever the key is", () => {
    assert.match(hashed("ann@example.com")!, /^[0-9a-f]{16}$/);
    assert.equal(hashed("ann@example.com"), userIdOf({ hash: true, hash_key: "k" })("ann@example.com"));
    assert.notEqual(hashed("ann@example.com"), hashed("bob@example.com"));
    assert.notEqual(hashed("ann@example.com"), userIdOf({ hash: true, hash_key: "j" })("ann@example.com"));
    // HMAC-SHA-256 of RFC 4231, case 2, to 16 digits.
    assert.equal(
      userIdOf({ hash: true, hash_key: "Jefe" })("what do ya want for nothing?"),
      "5bdcc146bf60754e",
    );
  });

  test("without a key: that of the process, over all generations", () => {
    assert.equal(userIdOf({ hash: true })("ann"), userIdOf({ hash: true })("ann"));
    assert.equal(userIdOf({ hash: true, hash_key: "" })("ann"), userIdOf({ hash: true })("ann"));
    assert.notEqual(userIdOf({ hash: true })("ann"), hashed("ann"));
  });

  test("as it is, cut, where that is asked for", () => {
    const plain = userIdOf({ hash: false });
    assert.equal(plain("ann@example.com"), "ann@example.com");
    assert.equal(plain("x".repeat(200)), "x".repeat(128));
  });

  test("nobody has none", () => {
    assert.equal(hashed(""), undefined);
    assert.equal(userIdOf({ hash: false })(""), undefined);
  });
});
