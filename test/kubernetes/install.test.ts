import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { must } from "../../scripts/kubernetes/kubectl.ts";
import {
  type ConfigMap,
  type Deployment,
  faultsOf,
  leftIn,
  MODES,
  type Mode,
  type Namespace,
  objectsIn,
  restrictedNamespace,
  template,
  valuesFile,
} from "./cluster.ts";

const shapes = MODES.flatMap((mode) => [
  { mode, name: "default values", files: [] as string[] },
  { mode, name: "every value changed", files: ["common", mode] },
]);
const argsOf = (mode: Mode, files: readonly string[]) => [
  ...files.flatMap((file) => ["--values", valuesFile(file)]),
  "--set",
  `mode=${mode}`,
];

const deployments = (space: Namespace) => space.list<Deployment>("deployments");
const templates = (space: Namespace) =>
  new Map(deployments(space).map(({ metadata, spec }) => [metadata.name, spec.template]));
const configs = (space: Namespace) =>
  space
    .list<ConfigMap>("configmaps", "-l", "app.kubernetes.io/managed-by=Helm")
    .map(({ data }) => data)
    .toSorted((a, b) => Object.keys(a).join().localeCompare(Object.keys(b).join()));

describe("helm install, upgrade, rollback, uninstall", () => {
  for (const [number, { mode, name, files }] of shapes.entries()) {
    describe(`${mode}, ${name}`, () => {
      const space = restrictedNamespace(`install-${number}`);
      const args = argsOf(mode, files);
      must(space.kubectl, ["apply", "-f", valuesFile("prerequisites")]);

      test("every object is valid by the API server's schemas and accepted in a dry run", () => {
        const { text } = template("-n", space.name, ...args);
        assert.equal(faultsOf(text), "");
        const { status, stderr } = space.kubectl(["apply", "--dry-run=server", "-f", "-"], text);
        assert.equal(status, 0, stderr);
        assert.doesNotMatch(stderr, /[Ww]arning/, "the namespace warns of what `restricted` refuses");
      });

      test("is installed, and its pods are admitted and ready", () => {
        const { status, stdout, stderr } = space.apply("install", "router", ...args);
        assert.equal(status, 0, stderr);
        assert.match(stdout, /STATUS: deployed/);
        for (const { metadata, status: state } of deployments(space))
          assert.ok((state.readyReplicas ?? 0) > 0, `${metadata.name} is ready`);
        assert.equal(deployments(space).length, mode === "gateway" ? 2 : 1);
      });

      test("a change of routing reaches the ConfigMap and restarts nothing", () => {
        const before = { pods: templates(space), configs: configs(space) };
        const endpoint = [
          "config.vllm_endpoints[0].name=added",
          "config.vllm_endpoints[0].address=10.1.2.3",
          "config.vllm_endpoints[0].port=8000",
          "config.model_config.small-model.preferred_endpoints[0]=added",
          "config.model_config.large-model.preferred_endpoints[0]=added",
          "config.default_model=small-model",
        ].flatMap((change) => ["--set", change]);
        const { status, stderr } = space.apply("upgrade", "router", ...args, ...endpoint);
        assert.equal(status, 0, stderr);
        assert.deepEqual(templates(space), before.pods);
        assert.notDeepEqual(configs(space), before.configs);
        assert.match(JSON.stringify(configs(space)), /10\.1\.2\.3/);
      });

      test("rollback brings the former configuration back, and restarts nothing", () => {
        const pods = templates(space);
        const { status, stderr } = space.helm(["rollback", "router", "1", "--wait", "--timeout", "60s"]);
        assert.equal(status, 0, stderr);
        assert.deepEqual(templates(space), pods);
        assert.doesNotMatch(JSON.stringify(configs(space)), /10\.1\.2\.3/);
      });

      test("a change of Envoy's bootstrap, or of the ports, replaces the pods", () => {
        const before = templates(space);
        const address = files.length > 0 ? "0.0.0.0" : "::";
        const { status, stderr } = space.apply(
          "upgrade",
          "router",
          ...args,
          "--set-string",
          `listenAddress=${address}`,
        );
        assert.equal(status, 0, stderr);
        assert.equal(
          [...templates(space)].some(
            ([name, now]) => JSON.stringify(now) !== JSON.stringify(before.get(name)),
          ),
          true,
        );
      });

      test("uninstall leaves nothing", async () => {
        assert.equal(space.helm(["uninstall", "router", "--wait", "--timeout", "60s"]).status, 0);
        must(space.kubectl, ["delete", "-f", valuesFile("prerequisites")]);
        assert.deepEqual(await leftIn(space), []);
      });
    });
  }
});

test("all manifests name the namespace's objects once", () => {
  for (const { mode, files } of shapes) {
    const names = objectsIn(template(...argsOf(mode, files)).text).map(
      ({ kind, metadata, apiVersion }) => `${apiVersion} ${kind} ${metadata.name}`,
    );
    assert.equal(new Set(names).size, names.length, names.join("\n"));
  }
});
