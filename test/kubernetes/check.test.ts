import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KubeObject } from "../../scripts/kubernetes/kubectl.ts";
import { type ConfigMap, type Deployment, restrictedNamespace, valuesFile } from "./cluster.ts";

type Pod = KubeObject & {
  readonly status: {
    readonly containerStatuses?: readonly {
      readonly state: { readonly terminated?: { readonly message: string } };
    }[];
  };
};

// The Job that checks a configuration runs here for real: the processor itself, as another process on this machine. What
// that leaves out: pulling the image, the user and the read-only file system that the pod asks for.
describe("a configuration that the processor refuses", () => {
  const space = restrictedNamespace("check");
  const typo = ["--set", "config.prompt_guard.treshold=0.5"];
  const said = () =>
    space
      .list<Pod>("pods", "-l", "job-name")
      .flatMap(({ status }) => status.containerStatuses ?? [])
      .map(({ state }) => state.terminated?.message)
      .join("\n");

  test("fails the installation, and nothing is installed", () => {
    // The chart's own schema would refuse the word before the Job does.
    const { status, stderr } = space.apply("install", "router", ...typo, "--skip-schema-validation");
    assert.notEqual(status, 0);
    assert.match(stderr, /pre-install/);
    assert.match(said(), /treshold: unknown key; did you mean .?threshold/);
    assert.deepEqual(space.list("deployments"), []);
    space.helm(["uninstall", "router", "--wait"]);
  });

  test("fails an upgrade, and what runs stays as it is", () => {
    const installed = space.apply("install", "router", "--values", valuesFile("sidecar"));
    assert.equal(installed.status, 0, installed.stderr);
    const state = () => [
      space.list<Deployment>("deployments").map(({ spec }) => spec),
      space
        .list<ConfigMap>("configmaps")
        .filter(({ metadata }) => !metadata.annotations?.["helm.sh/hook"])
        .map(({ data }) => data),
    ];
    const before = state();
    // What only the processor can know: a reference to an endpoint that is not there.
    const dangling = [
      "--set",
      "config.default_model=m",
      "--set",
      "config.model_config.m.preferred_endpoints[0]=nowhere",
    ];
    const { status, stderr } = space.apply(
      "upgrade",
      "router",
      "--values",
      valuesFile("sidecar"),
      ...dangling,
    );
    assert.notEqual(status, 0);
    assert.match(stderr, /pre-upgrade/);
    assert.match(said(), /nowhere/);
    assert.deepEqual(state(), before);
  });

  test("is not looked at with configCheck.enabled=false", () => {
    const off = ["--values", valuesFile("sidecar"), "--set", "configCheck.enabled=false"];
    const { status, stderr } = space.apply(
      "upgrade",
      "router",
      ...off,
      ...["--set", "config.default_model=m"],
    );
    assert.equal(status, 0, stderr);
  });
});
