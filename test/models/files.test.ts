import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { startEncoder } from "../../src/models/encoder.ts";

const models = new URL("../../models/", import.meta.url);
let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), "encoder-"));
});
after(() => rm(dir, { recursive: true }));

interface Files {
  onnx: Buffer;
  tokenizer: Buffer;
  about: Record<string, unknown> & { sha256: Record<string, string>; self_test: Record<string, unknown>[] };
}

/** The shipped files with a change; `resealed`: with digests that fit again. */
async function files(change: (files: Files) => void, resealed = false): Promise<string> {
  for (const name of ["encoder.onnx", "tokenizer.json"])
    await copyFile(new URL(name, models), join(dir, name));
  const all: Files = {
    onnx: await readFile(join(dir, "encoder.onnx")),
    tokenizer: await readFile(join(dir, "tokenizer.json")),
    about: JSON.parse(await readFile(new URL("encoder.json", models), "utf8")),
  };
  change(all);
  const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  if (resealed) all.about.sha256 = { onnx: digest(all.onnx), tokenizer: digest(all.tokenizer) };
  await writeFile(join(dir, "encoder.onnx"), all.onnx);
  await writeFile(join(dir, "tokenizer.json"), all.tokenizer);
  await writeFile(join(dir, "encoder.json"), JSON.stringify(all.about));
  return dir;
}

const refuses = (path: string, message: RegExp) =>
  assert.rejects(startEncoder({ path, workers: 1 }), message);

describe("model files that do not do", () => {
  it("missing directory", () =>
    refuses(join(dir, "none"), /encoder\.json cannot be read \(ENOENT\): restore/));

  for (const name of ["encoder.onnx", "tokenizer.json"])
    it(`no ${name}`, async () => {
      const path = await files(() => {});
      await rm(join(path, name));
      await refuses(path, new RegExp(`${name} cannot be read \\(ENOENT\\): restore`));
    });

  it("flipped byte in the graph", async () => {
    const path = await files(({ onnx }) => onnx.writeUInt8(onnx.readUInt8(5_000_000) ^ 1, 5_000_000));
    await refuses(path, /encoder\.onnx is not the file that .*encoder\.json describes.*: restore/);
  });

  it("another tokenizer", async () => {
    const path = await files((all) => {
      all.tokenizer = Buffer.from("{}");
    });
    await refuses(path, /tokenizer\.json is not the file that .*encoder\.json describes.*: restore/);
  });

  it("not JSON", async () => {
    const path = await files(() => {});
    await writeFile(join(path, "encoder.json"), "{");
    await refuses(path, /encoder\.json is not valid JSON: restore/);
  });

  it("fields missing or wrong, all named", async () => {
    const path = await files(({ about }) => {
      delete about.labels;
      about.guard_labels = ["benign"];
      about.window = { tokens: 128, overlap: 127 };
    });
    await refuses(
      path,
      /encoder\.json lacks fields or has wrong ones \(labels, guard_labels, window\): restore/,
    );
  });

  it("another format", async () => {
    const path = await files(({ about }) => Object.assign(about, { format: 1 }));
    await refuses(path, /encoder\.json was made for another version/);
  });

  it("no graph, with a digest that fits", async () => {
    const path = await files(({ onnx }) => void onnx.fill(0), true);
    await refuses(path, /encoder\.onnx cannot be loaded \(.*\): restore/s);
  });

  it("no tokenizer, with a digest that fits", async () => {
    const path = await files((all) => {
      all.tokenizer = Buffer.from("{}");
    }, true);
    await refuses(path, /tokenizer\.json cannot be loaded \(.*\): restore/s);
  });

  const changes: readonly (readonly [string, Record<string, unknown>])[] = [
    ["category", { category_score: 0.999 }],
    ["jailbreak", { jailbreak: 0.96 }],
    ["embedding", { embedding_head: [0.9] }],
    ["entities", { entities: [{ type: "PERSON", start: 1, end: 2 }] }],
  ];
  for (const [part, change] of changes)
    it(`another model's self-test, by its ${part}`, async () => {
      const path = await files(({ about }) => Object.assign(about.self_test[1]!, change));
      await refuses(path, new RegExp(`failed self-test 2 \\(${part}\\)`));
    });
});
