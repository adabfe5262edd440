import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import { heeded, idle } from "../../src/telemetry/settings/variables.ts";
import { textOf } from "../support/repo.ts";
import { resolve } from "../telemetry/resolve.ts";
import { codeIn, rowsOf, section, sorted } from "./markdown.ts";

const PAGE = "docs/otel-environment.md";
const rows = rowsOf(section(PAGE, "## Heeded"));
const isVariable = (code: string) => /^OTEL_[A-Z_]+$/.test(code);
const namesIn = (cell: string | undefined) => codeIn(cell ?? "").filter(isVariable);
/** What the file has at a path below `observability.tracing` when it says nothing. */
const inFile = (path: string) =>
  path
    .split(".")
    .reduce<unknown>(
      (at, name) => (at as Record<string, unknown>)[name],
      parseConfig("").config.observability.tracing,
    );

describe("docs/otel-environment.md", () => {
  test("it lists the variables that are heeded, and no other", () => {
    assert.deepEqual(
      rows.flatMap(([names]) => namesIn(names)).sort(),
      [...heeded, "OTEL_SDK_DISABLED"].sort(),
    );
  });

  test("it lists the variables without effect, and no other", () => {
    const listed = rowsOf(section(PAGE, "## Without effect")).flatMap(([names]) => namesIn(names));
    assert.deepEqual(listed.sort(), [...idle, "OTEL_PROPAGATORS"].sort());
    for (const name of listed)
      assert.match(resolve("", { [name]: "b3" }).warnings.join(), new RegExp(`${name}\\b`), name);
  });

  test("every variable it speaks of is one of these", () => {
    const known = [...heeded, ...idle, "OTEL_SDK_DISABLED", "OTEL_PROPAGATORS"];
    const spoken = namesIn(textOf(PAGE));
    assert.deepEqual(sorted(spoken), sorted(known));
  });

  test("keys and defaults are those of the file", () => {
    let compared = 0;
    for (const [, keys, value] of rows) {
      const [found, ...others] = codeIn(keys!).map(inFile);
      const [shown] = codeIn(value!);
      if (typeof found !== "string" && typeof found !== "number" && typeof found !== "boolean") continue;
      if (others.length > 0) continue;
      assert.equal(shown, String(found), keys);
      compared += 1;
    }
    assert.equal(compared, 11);
    const { told } = resolve("");
    const [sampler] = rows.filter(([names]) => names === "`OTEL_TRACES_SAMPLER`");
    assert.equal(told.sampler, `${codeIn(sampler![2]!)[0]} (default)`);
    const [limit] = rows.filter(([, keys, value]) => keys === "" && value !== "`false`");
    assert.equal(told.value_limit, `${codeIn(limit![2]!)[0]} (default)`);
  });

  const ranged = rows.filter(([, , , values]) => /, \d+ to \d+/.test(values!));
  for (const [names, , , values] of ranged) {
    test(`the range of ${codeIn(names!)[0]}`, () => {
      const [, from, to] = /, (\d+) to (\d+)/.exec(values!)!;
      for (const name of namesIn(names).filter((one) => !/LENGTH_LIMIT|SAMPLER_ARG/.test(one))) {
        assert.ok(
          resolve("", { [name]: "x" }).warnings[0]?.includes(`whole number, ${from} to ${to},`),
          resolve("", { [name]: "x" }).warnings[0],
        );
      }
    });
  }
  test("a text is kept to the longest limit, and a larger one is told", () => {
    const [, to] = /, 0 to (\d+)/.exec(ranged.at(-1)![3]!)!;
    for (const name of namesIn(ranged.at(-1)![0])) {
      assert.deepEqual(resolve("", { [name]: to! }).warnings, []);
      const larger = resolve("", { [name]: String(Number(to) + 1) });
      assert.deepEqual([larger.settings.valueLimit, larger.warnings.length], [Number(to), 1]);
    }
  });
  test("there are seven ranges", () => assert.equal(ranged.length, 7));

  test("the words of a row are taken, and no other", () => {
    const words = rows.filter(([names]) => /EXPORTER`|PROTOCOL|COMPRESSION/.test(names!));
    assert.equal(words.length, 3);
    for (const [names, , , values] of words)
      for (const name of namesIn(names)) {
        const [taken] = values!.split(/ is not spoken|, which is| Of a list/);
        for (const word of codeIn(taken!)) {
          const isTold = resolve("", { [name]: word }).warnings.length > 0;
          assert.equal(isTold, word === "http/json", `${name}=${word}`);
        }
        assert.match(resolve("", { [name]: "other" }).warnings.join(), /must be/);
      }
    assert.match(resolve("", { OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" }).warnings[0]!, /it is ignored/);
  });

  const paths = rowsOf(section(PAGE, "## The path"));
  for (const [where, what, posts] of paths) {
    test(`${where} ${what}: the path`, () => {
      const [name, text, path] = [where, what, posts].map((cell) => codeIn(cell!)[0]!);
      const { settings, warnings } = isVariable(name!)
        ? resolve("", { [name!]: text! })
        : resolve(`exporter: { endpoint: "${text}" }`);
      assert.equal(settings.otlp?.url, `http://h:4318${path}`);
      assert.equal(warnings.length > 0, posts!.includes("told"));
    });
  }
  test("there is a path for each of the three places", () => {
    assert.equal(new Set(paths.map(([where]) => where)).size, 3);
  });

  test("the samplers are what the file calls them, and the share is the file's unless it is given", () => {
    const samplers = rowsOf(section(PAGE, "## Samplers"));
    assert.equal(samplers.length, 6);
    for (const [word, file] of samplers) {
      const env = { OTEL_TRACES_SAMPLER: codeIn(word!)[0]! };
      const asked = resolve("", env);
      assert.deepEqual(asked.warnings, []);
      const written = resolve(`sampling: ${codeIn(file!)[0]}`);
      assert.deepEqual(asked.settings.sampling, written.settings.sampling);
    }
    const env = { OTEL_TRACES_SAMPLER: "traceidratio" };
    assert.equal(resolve("sampling: { type: probabilistic, rate: 0.2 }", env).settings.sampling.rate, 0.2);
    assert.equal(resolve("", { ...env, OTEL_TRACES_SAMPLER_ARG: "0.5" }).settings.sampling.rate, 0.5);
  });

  test("what it says of the resource", () => {
    const of = (text: string) => resolve("", { OTEL_RESOURCE_ATTRIBUTES: text });
    const sample = codeIn(section(PAGE, "## Resource")).find((code) => code.startsWith("service.version="))!;
    assert.deepEqual(of(sample).settings.resource, {
      "service.name": inFile("resource.service_name"),
      "service.version": "1.4",
      "deployment.environment.name": "production",
      "deployment.environment": "production",
    });
    assert.equal(of("service.name=").settings.resource["service.name"], inFile("resource.service_name"));
    const bad = of("a=b,nothing");
    assert.ok(!("a" in bad.settings.resource) && bad.warnings.length === 1);
  });

  test("env_override: false ignores them all but one", () => {
    const env = { OTEL_SERVICE_NAME: "other", OTEL_BSP_SCHEDULE_DELAY: "7" };
    const { settings, warnings } = resolve("env_override: false", env);
    assert.equal(settings.resource["service.name"], inFile("resource.service_name"));
    assert.equal(settings.delayMs, inFile("exporter.batch.delay_ms"));
    for (const name of Object.keys(env)) assert.ok(warnings.join().includes(name));
    assert.equal(resolve("env_override: false", { OTEL_SDK_DISABLED: "true" }).settings.enabled, false);
  });
});
