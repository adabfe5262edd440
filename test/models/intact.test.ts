import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { describe, test } from "node:test";
import { loadUnchanged, textOf } from "../../src/models/intact.ts";
import { ModelDirectory } from "../support/onnx/tiny-models.ts";

const digest = (text: string) => createHash("sha256").update(text).digest("hex");

describe("a file that is read anew", () => {
  test("is what it was", async () => {
    using dir = new ModelDirectory({ f: "first" });
    const load = async () => readFileSync(dir.at("f"), "utf8");
    assert.equal(textOf(dir.at("f"), digest("first")), "first");
    assert.equal(await loadUnchanged(dir.at("f"), digest("first"), load), "first");
    assert.throws(() => textOf(dir.at("f"), digest("other")), /not the file of the start/);
    await assert.rejects(loadUnchanged(dir.at("f"), digest("other"), load), /not the file of the start/);
  });

  test("is not taken when another lay in its place while it was loaded", async () => {
    using dir = new ModelDirectory({ f: "first" });
    const load = async () => {
      dir.write("f", "other");
      const loaded = readFileSync(dir.at("f"), "utf8");
      rmSync(dir.at("f"));
      dir.write("f", "first");
      return loaded;
    };
    await assert.rejects(loadUnchanged(dir.at("f"), digest("first"), load), /not the file of the start/);
  });
});
