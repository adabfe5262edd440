import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { ensureHelm } from "../../scripts/helm-binary.ts";
import { BASE, baseFiles } from "../../scripts/kubernetes/base.ts";
import { parseConfig } from "../../src/config/load.ts";
import { helmMissing } from "./helm.ts";

const read = (...path: string[]) => readFileSync(join(BASE, ...path), "utf8");

describe("examples/kubernetes", { skip: helmMissing }, () => {
  test("the base is what the chart makes of its config.yaml (node scripts/kubernetes/base.ts writes it)", () => {
    const made = baseFiles(ensureHelm(() => {}));
    for (const [name, text] of Object.entries(made)) assert.equal(read(name), text, name);
    const { resources, configMapGenerator } = parse(read("kustomization.yaml")) as {
      resources: string[];
      configMapGenerator: { files: string[] }[];
    };
    const named = [...resources, ...configMapGenerator.flatMap(({ files }) => files)];
    assert.deepEqual(named.toSorted(), ["config.yaml", ...Object.keys(made)].toSorted());
  });
});

test("the configurations of base and overlay are valid, and name the same endpoints", () => {
  const [base, overlay] = [read("config.yaml"), read("..", "overlay", "config.yaml")].map(
    (text) => parseConfig(text).config,
  );
  assert.deepEqual(overlay!.vllm_endpoints, base!.vllm_endpoints);
  assert.notEqual(overlay!.prompt_guard.threshold, base!.prompt_guard.threshold);
});
