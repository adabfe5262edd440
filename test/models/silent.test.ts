import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { repoRoot } from "../support/repo.ts";

test("the runtime gathers nothing to report to its makers", () => {
  const home = mkdtempSync(join(tmpdir(), "silent-"));
  try {
    const env: NodeJS.ProcessEnv = { ...process.env, HOME: home, XDG_CACHE_HOME: join(home, ".cache") };
    delete env.ORT_DISABLE_TELEMETRY;
    const args = ["--disable-warning=ExperimentalWarning", "src/main.ts", "classify", "hello"];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: repoRoot, env, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.deepEqual(filesUnder(join(home, ".cache", "Microsoft")), []);
    assert.equal(stderr, "");
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

const filesUnder = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
