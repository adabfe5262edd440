import assert from "node:assert/strict";
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { watchConfig } from "../../src/config/watch.ts";
import { scratchFolder } from "../support/scratch.ts";

const { folder: scratch } = scratchFolder("watch-test");
let folders = 0;
function newFolder(): string {
  folders += 1;
  const folder = join(scratch, String(folders));
  mkdirSync(folder);
  return folder;
}

/** How programs save a file that is there. */
const ways: Readonly<Record<string, (file: string, text: string) => void>> = {
  "in place, as a shell's redirection, nano and VS Code do": (file, text) => writeFileSync(file, text),
  "a temporary file renamed over it, as sed -i, kubectl edit and Emacs do": (file, text) => {
    writeFileSync(`${file}.tmp`, text);
    renameSync(`${file}.tmp`, file);
  },
  "the old one moved away, then a new one written, as Vim does": (file, text) => {
    renameSync(file, `${file}~`);
    writeFileSync(file, text);
    unlinkSync(`${file}~`);
  },
  "a copy kept, then written in place, as Vim does with backupcopy": (file, text) => {
    copyFileSync(file, `${file}~`);
    writeFileSync(file, text);
  },
  "removed, and written anew": (file, text) => {
    unlinkSync(file);
    writeFileSync(file, text);
  },
  "emptied, then written in pieces": (file, text) => {
    writeFileSync(file, "");
    for (const piece of text) appendFileSync(file, piece);
  },
};

describe("a file that is saved", { concurrency: true }, () => {
  for (const [way, save] of Object.entries(ways)) {
    test(`${way}: seen once, and whole`, async () => {
      const file = join(newFolder(), "config.yaml");
      writeFileSync(file, "{}");
      const texts: string[] = [];
      const watch = watchConfig(file, "{}", () => texts.push(readFileSync(file, "utf8")));
      await sleep(600);
      save(file, "limits: {}");
      for (let waited = 0; texts.length === 0 && waited < 200; waited += 1) await sleep(50);
      await sleep(1200);
      watch.close();
      assert.deepEqual(texts, ["limits: {}"]);
    });
  }
});

test("the first sight of a change is told before the file has rested, and no more than that", async () => {
  const file = join(newFolder(), "config.yaml");
  writeFileSync(file, "{}");
  const told: string[] = [];
  const watch = watchConfig(
    file,
    "{}",
    () => told.push("changed"),
    () => told.push("stirred"),
  );
  await sleep(1200);
  assert.deepEqual(told, []);
  writeFileSync(file, "limits: {}");
  for (let waited = 0; told.length < 2 && waited < 200; waited += 1) await sleep(50);
  watch.close();
  assert.deepEqual(told, ["stirred", "changed"]);
});

test("the file and its folder swapped by a link, as a ConfigMap mounted as a subfolder is", async () => {
  const folder = newFolder();
  for (const [name, text] of [
    ["a", "{}"],
    ["b", "limits: {}"],
  ] as const) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "config.yaml"), text);
  }
  symlinkSync("a", join(folder, "current"));
  let changes = 0;
  const watch = watchConfig(join(folder, "current", "config.yaml"), "{}", () => {
    changes += 1;
  });
  symlinkSync("b", join(folder, "next"));
  renameSync(join(folder, "next"), join(folder, "current"));
  for (let waited = 0; changes === 0 && waited < 200; waited += 1) await sleep(50);
  watch.close();
  assert.equal(changes, 1);
});

test("a ConfigMap's swap of links is seen, and a file that is gone for a moment is no change", async () => {
  const folder = newFolder();
  const version = (name: string, text: string) => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "config.yaml"), text);
  };
  version("v1", "{}");
  version("v2", "limits: {}");
  symlinkSync("v1", join(folder, "..data"));
  symlinkSync("..data/config.yaml", join(folder, "config.yaml"));
  let changes = 0;
  const { promise: seen, resolve } = Promise.withResolvers<void>();
  const watch = watchConfig(join(folder, "config.yaml"), "{}", () => {
    changes += 1;
    resolve();
  });
  await sleep(100);
  symlinkSync("v2", join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  const awake = setTimeout(() => {}, 10_000);
  await seen;
  rmSync(join(folder, "..data"));
  await sleep(1500);
  // The same text under another name, as a ConfigMap is refreshed, is no change either.
  version("v3", "limits: {}");
  symlinkSync("v3", join(folder, "..data"));
  await sleep(1500);
  assert.equal(changes, 1);
  clearTimeout(awake);
  watch.close();
});

test("a change between the reading and the watching is seen, and a file that is being written is not read", async () => {
  const folder = newFolder();
  const file = join(folder, "config.yaml");
  writeFileSync(file, "limits: {}");
  const texts: string[] = [];
  const watch = watchConfig(file, "{}", () => texts.push(readFileSync(file, "utf8")));
  const awake = setTimeout(() => {}, 10_000);
  while (texts.length === 0) await sleep(20);
  for (let i = 0; i < 20; i += 1) {
    writeFileSync(file, `limits: {} # ${"x".repeat(i)}`);
    await sleep(100);
  }
  assert.equal(texts.length, 1, "it never rested");
  while (texts.length === 1) await sleep(20);
  assert.deepEqual(texts, ["limits: {}", `limits: {} # ${"x".repeat(19)}`]);
  clearTimeout(awake);
  watch.close();
});
