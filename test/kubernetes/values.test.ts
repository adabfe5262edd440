import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import { CHART, MODES, valuesFile } from "./cluster.ts";

type Values = { readonly [key: string]: unknown };

const read = (file: string): Values => parse(readFileSync(file, "utf8")) as Values;

const isSection = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;

/** Paths of the values that are no sections, with what they are. */
function leaves(values: Values, ...above: string[]): [path: string, value: unknown][] {
  return Object.entries(values).flatMap(([key, value]) =>
    isSection(value)
      ? leaves(value, ...above, key)
      : [[[...above, key].join("."), value] as [string, unknown]],
  );
}

const at = (values: Values, path: string): unknown =>
  path.split(".").reduce<unknown>((found, key) => (found as Values | undefined)?.[key], values);

/** Whole sections of Kubernetes' own that are given to it as they are. */
const whole = ["podSecurityContext", "securityContext", "resources", "envoy.resources"];
/** Why a value keeps its default in these files. */
const kept: Readonly<Record<string, string>> = {
  extraArgs: "the processor has no flag that the chart does not set itself; test/chart looks at it",
  "serviceAccount.create": "off, it needs an account that is there; see install.test.ts",
};

test("the values files change every value of the chart", () => {
  const defaults = read(join(CHART, "values.yaml"));
  const files = ["common", ...MODES, "envoy-gateway"].map((name) => read(valuesFile(name)));
  const paths = leaves(defaults)
    .map(([path]) => whole.find((one) => path.startsWith(`${one}.`)) ?? path)
    // What each installation begins with.
    .filter((path) => path !== "mode" && !(path in kept));
  const unchanged = [...new Set(paths)].filter((path) =>
    files.every((values) => {
      const value = at(values, path);
      return value === undefined || isDeepStrictEqual(value, at(defaults, path));
    }),
  );
  assert.deepEqual(unchanged, []);
});
