import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { CHART } from "../../scripts/chart/files.ts";
import { textOf } from "../support/repo.ts";
import { helm, helmMissing, KUBERNETES, modes, template } from "./helm.ts";

/** What the chart makes of default values, and of the quickstart's configuration behind an Envoy Gateway. */
describe("the chart", { skip: helmMissing }, () => {
  const quickstart = parse(textOf("examples/config/quickstart.yaml")) as Record<string, unknown>;
  const { server: _, ...config } = quickstart;
  const shapes: Record<string, object> = {
    ...Object.fromEntries(modes.map((mode) => [mode, { mode }])),
    "envoy-gateway": { mode: "standalone", envoyGateway: { enabled: true }, config },
  };

  for (const [name, values] of Object.entries(shapes)) {
    test(`${name}: what is installed is what was installed before`, () => {
      const { status, stdout, stderr } = template(values);
      assert.equal(status, 0, stderr);
      // Helm 4 ends each document with an empty line, Helm 3 does not.
      const text = `${stdout.replace(/\n+---\n/g, "\n---\n").trimEnd()}\n`;
      const file = join(import.meta.dirname, "golden", `${name}.yaml`);
      if (process.env.UPDATE_GOLDEN === "1") {
        mkdirSync(join(file, ".."), { recursive: true });
        writeFileSync(file, text);
      }
      const kept = existsSync(file) ? readFileSync(file, "utf8") : "";
      // One difference is readable, a thousand lines are not.
      assert.deepEqual(text.split("\n"), kept.split("\n"), "UPDATE_GOLDEN=1 npm test chart, if it is meant");
    });

    test(`${name}: helm lint finds nothing`, () => {
      const set = Object.entries(values).map(([key, value]) => `--set-json=${key}=${JSON.stringify(value)}`);
      const { status, stdout } = helm("lint", "--strict", CHART, "--kube-version", KUBERNETES, ...set);
      assert.equal(status, 0, stdout);
      assert.doesNotMatch(stdout, /WARNING|ERROR/);
    });
  }
});
