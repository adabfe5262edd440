import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { processorArgs } from "../../scripts/lib/processor.ts";
import { embeddingModel, guardModel, piiModel } from "../support/onnx/own-set.ts";
import { ModelDirectory } from "../support/onnx/tiny-models.ts";

/** Files of a configuration and its models, as `check` sees them. */
function check(config: object) {
  using dir = new ModelDirectory({
    "config.yaml": { observability: { tracing: { enabled: false } }, ...config },
  });
  const file = dir.at("config.yaml");
  const { status, stdout, stderr } = spawnSync(process.execPath, processorArgs("check", file), {
    encoding: "utf8",
  });
  return { status, out: stdout.replaceAll(file, "FILE"), err: stderr.replaceAll(file, "FILE") };
}

describe("check reads the files of models of one's own", () => {
  test("and says valid where they fit, without opening a graph", () => {
    using guard = guardModel();
    using pii = piiModel();
    using embedding = embeddingModel();
    guard.write("model.onnx", "no graph");
    const config = {
      prompt_guard: { enabled: true, model_id: guard.path },
      classifier: { pii_model: { model_id: pii.path } },
      bert_model: { model_id: embedding.path },
    };
    assert.deepEqual(check(config), { status: 0, out: "FILE: valid\n", err: "" });
  });

  test("and says of each by its key what is wrong", () => {
    using guard = guardModel();
    using pii = piiModel();
    using other = guardModel();
    const id2label = { 0: "a", 1: "b", 2: "c" };
    for (const dir of [guard, pii]) dir.write("config.json", { model_type: "bert", id2label });
    other.write("map.json", { category_to_idx: { a: null } });
    const { status, out, err } = check({
      prompt_guard: { enabled: true, model_id: guard.path },
      classifier: {
        pii_model: { model_id: pii.path },
        category_model: { model_id: other.path, category_mapping_path: other.at("map.json") },
      },
      bert_model: { model_id: "./none" },
    });
    assert.deepEqual([status, out], [1, ""]);
    const says = [
      /^FILE:\d+:\d+ prompt_guard\.model_id: .*config\.json: none of the labels "a", "b", "c" means a jailbreak/,
      /^FILE:\d+:\d+ classifier\.pii_model\.model_id: .*config\.json: no label is "O"/,
      /^FILE:\d+:\d+ classifier\.category_model\.model_id: .*map\.json: category_to_idx has "a" at null, no whole number; count/,
      /^FILE:\d+:\d+ bert_model\.model_id: .*\/none: no such directory; name the directory/,
    ];
    for (const [i, line] of err.trimEnd().split("\n").entries()) assert.match(line, says[i]!);
    assert.equal(err.trimEnd().split("\n").length, says.length);
  });

  test("but not where nothing reads, and nothing is loaded", () => {
    assert.equal(check({ prompt_guard: { enabled: false, model_id: "/none" } }).out, "FILE: valid\n");
  });
});
