import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { must } from "../../scripts/kubernetes/kubectl.ts";
import { definitions, kubectl, leftIn, restrictedNamespace, template, valuesFile } from "./cluster.ts";

// Envoy Gateway's own definitions, with the rules that its API server part enforces (CEL). The controller that acts on
// them needs a cluster that runs containers: what it would make of them, translation.test.ts looks at.
describe("the objects for Envoy Gateway", () => {
  before(() => {
    must(kubectl, ["apply", "--server-side", "-R", "-f", definitions]);
    must(kubectl, ["wait", "--for", "condition=Established", "crd", "--all", "--timeout", "60s"]);
  });
  const space = restrictedNamespace("envoy-gateway");
  const endpoints = Array.from({ length: 40 }, (_, n) => ({
    name: `Endpoint_${n}`,
    address: `10.0.0.${n}`,
    port: 8000,
  }));
  const many = ["--set-json", `config.vllm_endpoints=${JSON.stringify(endpoints)}`];
  const shapes = [
    {
      name: "a Gateway of its own",
      args: ["--set", "mode=standalone", "--set", "envoyGateway.enabled=true"],
    },
    {
      name: "a Gateway that is there",
      args: ["--values", valuesFile("common"), "--values", valuesFile("envoy-gateway")],
    },
    {
      name: "40 endpoints, more than a route may have rules",
      args: ["--set", "mode=standalone", "--set", "envoyGateway.enabled=true", ...many],
    },
  ];
  must(space.kubectl, ["apply", "-f", valuesFile("prerequisites")]);

  for (const { name, args } of shapes) {
    test(`${name}: accepted in a dry run without an unknown field, installed, and gone again`, async () => {
      const { text } = template("-n", space.name, ...args);
      assert.match(text, /kind: EnvoyExtensionPolicy/);
      const strict = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
      const { status, stderr } = space.kubectl(strict, text);
      assert.equal(status, 0, stderr);
      const installed = space.apply("install", "router", ...args);
      assert.equal(installed.status, 0, installed.stderr);
      assert.equal(space.helm(["uninstall", "router", "--wait"]).status, 0);
      assert.deepEqual(await leftIn(space, ["secret/admin", "secret/collector", "configmap/extra"]), []);
    });
  }

  test("the API server knows such mistakes", () => {
    const { text } = template("-n", space.name, ...shapes[0]!.args);
    const wrong = text.replace("messageTimeout:", "mesageTimeout:");
    assert.notEqual(wrong, text);
    const { status, stderr } = space.kubectl(
      ["apply", "--dry-run=server", "--validate=strict", "-f", "-"],
      wrong,
    );
    assert.notEqual(status, 0);
    assert.match(stderr, /unknown field "spec\.extProc\[0\]\.mesageTimeout"/);
  });
});
