import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Config } from "../../src/config/schema.ts";
import { hostPort } from "../../src/outcome.ts";
import { backendSelection } from "../../src/pipeline/backend-selection.ts";
import { endpointHealth } from "../../src/pipeline/endpoint-health.ts";
import { endpointPicker } from "../../src/pipeline/endpoint-picker.ts";
import { modelDirectory } from "../../src/pipeline/models.ts";
import { configOf, newTrace, onlySpan } from "../support/pipeline.ts";

const config = configOf(`
vllm_endpoints:
  - { name: heavy, address: 10.0.0.1, port: 8001, weight: 6 }
  - { name: light, address: "2001:db8::1", port: 8002, weight: 2 }
  - { name: spare, address: spare.local, port: 8003, weight: 0 }
  - { name: third, address: 10.0.0.3, port: 8004, weight: 2 }
model_config:
  many: { preferred_endpoints: [light, heavy, spare, third] }
  pair: { preferred_endpoints: [heavy, light] }
  single: { preferred_endpoints: [light] }
  resting: { preferred_endpoints: [spare] }
  nowhere: {}
`);
const { named } = modelDirectory(config);

/** A picker with a clock and a die of ours. */
function picker(settings: Config = config) {
  let time = 1000;
  let roll = 0;
  const health = endpointHealth(() => time);
  const pick = endpointPicker(settings, health, () => roll);
  return {
    health,
    passes: (ms: number) => {
      time += ms;
    },
    pick(model: string, at = roll) {
      roll = at;
      const { backend, reason } = pick(named(model));
      return `${backend?.name ?? "none"}: ${reason}`;
    },
    backend: (model: string) => pick(named(model)).backend,
  };
}

describe("weights", () => {
  test("are shares, in 10,000 draws over the whole range of the die", () => {
    const { pick } = picker();
    const counts = new Map<string, number>();
    for (let i = 0; i < 10_000; i++) {
      const name = pick("many", i / 10_000);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    assert.deepEqual(
      [...counts],
      [
        ["light: weight", 2000],
        ["heavy: weight", 6000],
        ["third: weight", 2000],
      ],
    );
  });

  const cases: readonly [string, string, number, string][] = [
    ["one endpoint", "single", 0.9, "light: only_candidate"],
    ["a weight of 0 gets none", "resting", 0, "none: model_without_endpoint"],
    ["no endpoints", "nowhere", 0, "none: model_without_endpoint"],
    ["a die that shows 1", "many", 1, "third: weight"],
  ];
  for (const [name, model, roll, expected] of cases) {
    test(name, () => assert.equal(picker().pick(model, roll), expected));
  }

  test("no model at all has no endpoint", () => {
    assert.equal(endpointPicker(config, endpointHealth())(undefined).backend, undefined);
  });
});

test("an endpoint that fails is set aside, tried again, and rests twice as long each time", () => {
  const { pick, passes, health, backend } = picker();
  assert.equal(pick("pair", 0), "heavy: weight");
  backend("pair")?.report(false);
  assert.equal(health.restMs("heavy"), 1000);
  assert.equal(pick("pair", 0), "light: others_set_aside");
  passes(999);
  assert.equal(pick("pair", 0), "light: others_set_aside");
  passes(1);
  assert.equal(pick("pair", 0), "heavy: weight", "tried again");

  const rests: number[] = [];
  for (let i = 0; i < 7; i++) {
    health.report("heavy", false);
    rests.push(health.restMs("heavy"));
    passes(health.restMs("heavy"));
  }
  assert.deepEqual(rests, [2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  health.report("heavy", true);
  health.report("heavy", false);
  assert.equal(health.restMs("heavy"), 1000, "a success ends the count");
});

test("failures of one moment are one failure", () => {
  const { health } = picker();
  for (let i = 0; i < 20; i++) health.report("heavy", false);
  assert.equal(health.restMs("heavy"), 1000);
  health.report("heavy", true);
  assert.equal(health.restMs("heavy"), 0, "a success brings it back at once");
});

test("with all set aside the one that is back first gets it", () => {
  const { pick, passes, health } = picker();
  health.report("heavy", false);
  passes(400);
  health.report("light", false);
  assert.equal(pick("pair"), "heavy: all_set_aside");
  assert.equal(pick("single"), "light: all_set_aside");
  passes(600);
  assert.equal(pick("pair"), "heavy: others_set_aside");
});

test("an IPv6 address stands in brackets", () => {
  const addresses = [
    ["10.0.0.1", "10.0.0.1:80"],
    ["::1", "[::1]:80"],
    ["spare.local", "spare.local:80"],
  ] as const;
  for (const [address, expected] of addresses) assert.equal(hostPort(address, 80), expected);
  const { backend } = picker();
  const { report: _, ...light } = backend("single")!;
  assert.deepEqual(light, {
    name: "light",
    address: "2001:db8::1",
    port: 8002,
    hostPort: "[2001:db8::1]:8002",
  });
});

describe("the span", () => {
  const select = async (model: string, settings = config) => {
    const at = newTrace();
    const selected = await backendSelection(
      settings,
      endpointHealth(() => 0),
    )(named(model), at);
    return { selected, ...onlySpan(at) };
  };

  test("names the endpoint, its address and why", async () => {
    const { selected, attributes, span } = await select("single");
    assert.equal(selected.kind, "backend");
    assert.equal(span.error, undefined);
    assert.deepEqual(attributes, {
      "endpoint.name": "light",
      "endpoint.address": "[2001:db8::1]:8002",
      "endpoint.candidates": ["light=2"],
      "endpoint.reason": "only_candidate",
    });
  });

  test("fails where the model has none", async () => {
    const { selected, attributes, span } = await select("resting");
    assert.deepEqual(selected, { kind: "none" });
    assert.equal(span.error, "model_without_endpoint");
    assert.deepEqual(attributes["endpoint.candidates"], ["spare=0"]);
  });

  test("says so where no endpoint is configured at all", async () => {
    const { selected, attributes, span } = await select("x", configOf("default_model: x"));
    assert.deepEqual(selected, { kind: "left_to_envoy" });
    assert.deepEqual(attributes, { "endpoint.reason": "left_to_envoy" });
    assert.equal(span.error, undefined);
  });
});
