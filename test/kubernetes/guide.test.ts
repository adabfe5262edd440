import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { must } from "../../scripts/kubernetes/kubectl.ts";
import { blocksOf } from "../docs/markdown.ts";
import { repoRoot } from "../support/repo.ts";
import { definitions, kubectl } from "./cluster.ts";

// docs/kubernetes.md, walked: its commands in their order, in a folder as a reader has it.

const PAGE = "docs/kubernetes.md";
const commands = blocksOf(PAGE, "console").flatMap(({ text }) =>
  text.split("\n").flatMap((line) => (line.startsWith("$ ") ? [line.slice(2)] : [])),
);
/** What needs containers that run, a registry, or a builder. */
const notHere = /^(docker|kind|curl) |port-forward| logs |oci:/;

describe("the guide", () => {
  const folder = mkdtempSync(join(tmpdir(), "guide-"));
  after(() => {
    kubectl(["delete", "namespace", "router", "--ignore-not-found", "--wait=false"]);
    rmSync(folder, { recursive: true });
  });
  before(() => {
    must(kubectl, ["apply", "--server-side", "-R", "-f", definitions]);
    must(kubectl, ["wait", "--for", "condition=Established", "crd", "--all", "--timeout", "60s"]);
    for (const name of ["helm", "examples"]) symlinkSync(join(repoRoot, name), join(folder, name));
    const [values] = blocksOf(PAGE, "yaml");
    writeFileSync(join(folder, "my-values.yaml"), values!.text);
  });

  for (const command of commands) {
    test(command.slice(0, 100), { skip: notHere.test(command) }, () => {
      const bins = [process.env.HELM_BIN!, process.env.KUBECTL_BIN!].map(dirname).join(":");
      const env = { ...process.env, PATH: `${bins}:${process.env.PATH}` };
      const { status, stderr } = spawnSync("bash", ["-c", command], { cwd: folder, env, encoding: "utf8" });
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stderr, /[Ww]arning: (?!.*(kubeconfig|Kubernetes configuration))/);
    });
  }
  test("most commands are walked", () => {
    assert.ok(commands.filter((command) => !notHere.test(command)).length >= 14);
  });
});
