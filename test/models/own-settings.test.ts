import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import { ownModelSettings } from "../../src/config/own-models.ts";

const settings = (text: string) => ownModelSettings(parseConfig(text).config, "/etc/router/config.yaml");

test("a model_id that is a path names a directory, from the configuration file's on", () => {
  const text = `
classifier:
  category_model: { model_id: ./models/category, category_mapping_path: models/category/category_mapping.json }
  pii_model: { model_id: /srv/pii, pii_mapping_path: /srv/map.json }
prompt_guard: { model_id: ../guard }
bert_model: { model_id: ./models/../embed/ }
`;
  assert.deepEqual(settings(text), [
    {
      task: "category",
      key: "classifier.category_model.model_id",
      dir: "/etc/router/models/category",
      mappingPath: "/etc/router/models/category/category_mapping.json",
    },
    { task: "pii", key: "classifier.pii_model.model_id", dir: "/srv/pii", mappingPath: "/srv/map.json" },
    { task: "jailbreak", key: "prompt_guard.model_id", dir: "/etc/guard" },
    { task: "embedding", key: "bert_model.model_id", dir: "/etc/router/embed" },
  ]);
  assert.deepEqual(parseConfig(text).warnings, []);
});

test("any other model_id is not used, and is warned about with its mapping", () => {
  const text = `
classifier:
  category_model:
    model_id: "models/category_classifier"
    category_mapping_path: "models/category_classifier/category_mapping.json"
  pii_model:
    model_id: "org/pii"
    pii_mapping_path: "pii_type_mapping.json"
prompt_guard:
  model_id: ".hidden"
  jailbreak_mapping_path: "x.json"
bert_model:
  model_id: "models/all-MiniLM-L12-v2"
`;
  assert.deepEqual(settings(text), []);
  const { warnings } = parseConfig(text);
  assert.equal(warnings.length, 1);
  const [{ path, line, message }] = warnings as [(typeof warnings)[number]];
  assert.deepEqual([path, line], ["classifier.category_model.model_id", 4]);
  assert.match(message, /^not used: the embedded model serves this task; a model_id that begins with "\/"/);
  for (const other of [
    "classifier.category_model.category_mapping_path (line 5)",
    "classifier.pii_model.model_id (line 7)",
    "classifier.pii_model.pii_mapping_path (line 8)",
    "prompt_guard.model_id (line 10)",
    "prompt_guard.jailbreak_mapping_path (line 11)",
    "bert_model.model_id (line 13)",
  ])
    assert.ok(message.includes(other), other);
});

test("a home directory is not used, and the warning says what to write", () => {
  for (const id of ["~/guard", "~", "~me/guard"]) {
    const text = `prompt_guard: { model_id: "${id}" }\nbert_model: { model_id: "org/~" }`;
    assert.deepEqual(settings(text), []);
    const messages = parseConfig(text).warnings.map(({ path, message }) => `${path}: ${message}`);
    assert.match(
      messages[0]!,
      /^prompt_guard\.model_id: not used: "~" is expanded by shells only; write the whole path/,
    );
    assert.match(messages[1]!, /^bert_model\.model_id: not used: the embedded model serves/);
  }
});

test("no model of one's own, no setting and no warning", () => {
  for (const text of ["", "classifier: { pii_model: { model_id: } }", 'bert_model: { model_id: "" }'])
    assert.deepEqual([settings(text), parseConfig(text).warnings], [[], []]);
});
