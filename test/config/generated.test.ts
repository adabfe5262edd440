import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv, type ErrorObject } from "ajv";
import { check } from "../../src/config/check.ts";
import type { Shape } from "../../src/config/kinds.ts";
import { editorSchema, renderEditorSchema, renderPage } from "../../src/config/page.ts";
import { type Path, pathText } from "../../src/config/problem.ts";
import { schema } from "../../src/config/schema.ts";
import { unusedKeys } from "../../src/config/unused.ts";

const root = schema as unknown as Shape;
const docs = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");

test("the page and the editors' schema are those of this schema: npm run generate", () => {
  assert.equal(docs("configuration.md"), renderPage());
  assert.equal(docs("configuration.schema.json"), renderEditorSchema());
});

test("the editors' schema is valid, and takes every key without effect", () => {
  const ajv = new Ajv({ strict: false });
  assert.equal(ajv.validateSchema(editorSchema()), true);
  const validate = ajv.compile(editorSchema());
  for (const key of Object.keys(unusedKeys)) {
    if (key.includes("*")) continue;
    const value = key.split(".").reduceRight<unknown>((inner, name) => ({ [name]: inner }), "x");
    assert.equal(validate(value), true, key);
  }
});

test("every key has one sentence of effect", () => {
  for (const [path, shape] of keysOf(root, [])) {
    assert.match(shape.description, /^[A-Z`][^\n]{5,120}\.$/, pathText(path));
  }
});

// Every key with every odd value: the checker and ajv must object to the same places and fill in the same defaults.
const ajv = new Ajv({ allErrors: true, useDefaults: true, strict: false });
const validate = ajv.compile(JSON.parse(JSON.stringify(root)));
const odd = [
  true,
  -1,
  0,
  0.5,
  1,
  3,
  403,
  70_000,
  2e9,
  "x",
  "math",
  "memory",
  "otlp",
  "a:1",
  "UPPER",
  [],
  ["x"],
  [1],
  [{}],
  {},
  { x: 1 },
  { x: {} },
];

test("the checker and ajv agree on every key", () => {
  let compared = 0;
  for (const [path] of keysOf(root, [])) {
    for (const value of odd) {
      const document = path.reduceRight<unknown>(
        (inner, part) => (typeof part === "number" ? [inner] : { [part]: inner }),
        value,
      );
      const places = new Set<string>();
      const report = { problem: (at: Path) => void places.add(pathText(at)), warn() {} };
      const mine = check(document, root, { report, unused: () => undefined });
      const theirs = structuredClone(document);
      const valid = validate(theirs);
      assert.deepEqual(
        [...places].sort(),
        [...new Set((validate.errors ?? []).map(placeOf))].sort(),
        JSON.stringify(document),
      );
      if (valid) assert.deepEqual(JSON.parse(JSON.stringify(mine)), theirs);
      compared++;
    }
  }
  assert.ok(compared > 1500, `${compared} documents`);
});

function keysOf(shape: Shape, path: (string | number)[]): [(string | number)[], Shape][] {
  const own: [(string | number)[], Shape][] = path.length > 0 ? [[path, shape]] : [];
  if (shape.items) return [...own, ...keysOf(shape.items, [...path, 0])];
  if (shape.additionalProperties) return [...own, ...keysOf(shape.additionalProperties, [...path, "some"])];
  return [
    ...own,
    ...Object.entries(shape.properties ?? {}).flatMap(([key, inner]) => keysOf(inner, [...path, key])),
  ];
}

function placeOf({ instancePath, params }: ErrorObject): string {
  const path = instancePath
    .split("/")
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const key: unknown = params.missingProperty ?? params.additionalProperty;
  return pathText(key === undefined ? path : [...path, String(key)]);
}
