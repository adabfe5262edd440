import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { ENVOY_GATEWAY_VERSION } from "../../scripts/chart/envoy-gateway.ts";
import { CHART } from "../../scripts/chart/files.ts";
import { readValues } from "../../scripts/chart/values.ts";
import { parseConfig } from "../../src/config/load.ts";
import { blocksOf, codeIn } from "../docs/markdown.ts";
import { textOf } from "../support/repo.ts";
import { helm, helmMissing, KUBERNETES, modes, objects, only } from "./helm.ts";

const page = "docs/helm.md";
const samples = blocksOf(page, "yaml").map(({ text }) => text);
const commands = [page, `${CHART}/README.md`].flatMap((file) =>
  blocksOf(file, "sh").flatMap(({ text }) => text.trim().split("\n")),
);

describe("docs/helm.md", { skip: helmMissing }, () => {
  for (const [i, text] of samples.entries())
    for (const mode of modes)
      test(`sample ${i + 1} installs in mode ${mode}, and its configuration loads`, () => {
        assert.match(text, /^# part of values\.yaml\n/);
        const all = objects({ mode, ...(parse(text) as object) });
        const config = only(all, "ConfigMap", "demo-semantic-router").data!["config.yaml"]!;
        parseConfig(config, { env: { COLLECTOR_KEY: "k", ADMIN_TOKEN: "t" } });
      });

  test("the commands are those of Helm and Docker, and Helm takes them", () => {
    assert.ok(commands.length >= 4);
    for (const command of commands) {
      const [program, , ...rest] = command.split(" ");
      if (program === "docker") assert.equal(command, `docker build -t semantic-router:${appVersion()} .`);
      else {
        assert.match(command, /^helm (install|upgrade) router helm\/semantic-router( -f values\.yaml)?$/);
        const { status, stderr } = helm(
          "template",
          ...rest.filter((one) => !/^-f$|values\.yaml/.test(one)),
          "--kube-version",
          KUBERNETES,
        );
        assert.equal(status, 0, stderr);
      }
    }
  });

  test("it says what a chart cannot prevent", () => {
    const text = textOf(page);
    for (const said of [
      "kubectl delete job,configmap NAME-config-check",
      "Set `configCheck.enabled: false`",
      "Install a second release in the new mode",
      "plain text without authentication",
      '`"1.10"`',
      "--set-json",
      "NAME-processor-vip",
    ])
      assert.ok(text.includes(said), said);
  });

  test("every value and object that it names is there", () => {
    const known = readValues(textOf(`${CHART}/values.yaml`)).map(({ path }) => path);
    const named = codeIn(textOf(page)).filter((code) =>
      /^(envoy|otlp|image|adminToken|configCheck)\.\w+$/.test(code),
    );
    assert.ok(named.length >= 6);
    for (const value of named) assert.ok(known.includes(value), value);
    const names = objects({ mode: "standalone" }).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    for (const name of ["Service demo-semantic-router-processor", "Job demo-semantic-router-config-check"])
      assert.ok(names.includes(name));
    assert.ok(
      textOf(page).includes(`version ${ENVOY_GATEWAY_VERSION.split(".").slice(0, 2).join(".")} needs`),
    );
  });
});

const appVersion = () => (parse(textOf(`${CHART}/Chart.yaml`)) as { appVersion: string }).appVersion;
