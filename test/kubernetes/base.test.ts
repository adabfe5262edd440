import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { must } from "../../scripts/kubernetes/kubectl.ts";
import { repoRoot } from "../support/repo.ts";
import {
  type ConfigMap,
  type Deployment,
  faultsOf,
  kubectl,
  objectsIn,
  restrictedNamespace,
} from "./cluster.ts";

const folder = (name: string) => join(repoRoot, "examples", "kubernetes", name);

describe("examples/kubernetes", () => {
  const space = restrictedNamespace("llm");

  for (const name of ["base", "overlay"]) {
    test(`${name}: valid, accepted, and its pods are admitted`, () => {
      assert.equal(faultsOf(must(kubectl, ["kustomize", folder(name)])), "");
      const { status, stderr } = space.kubectl(["apply", "-k", folder(name)]);
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stderr, /[Ww]arning/);
      must(space.kubectl, ["rollout", "status", "deployment/semantic-router", "--timeout", "60s"]);
    });
  }

  test("the overlay changed the ConfigMap under its old name, Envoy's files included, and the image", () => {
    const { data } = space.get<ConfigMap>("configmap", "semantic-router");
    assert.match(data["config.yaml"]!, /threshold: 0\.8/);
    assert.deepEqual(Object.keys(data).toSorted(), ["cds.yaml", "config.yaml", "envoy.yaml", "rds.yaml"]);
    const { spec } = space.get<Deployment>("deployment", "semantic-router");
    assert.match(spec.template.spec.initContainers![0]!.image, /^registry\.example\//);
  });

  test("a changed configuration is no rollout", () => {
    const template = () => space.get<Deployment>("deployment", "semantic-router").spec.template;
    const text = must(kubectl, ["kustomize", folder("overlay")]);
    const before = template();
    must(space.kubectl, ["apply", "-f", "-"], text.replace("threshold: 0.8", "threshold: 0.9"));
    assert.match(space.get<ConfigMap>("configmap", "semantic-router").data["config.yaml"]!, /0\.9/);
    assert.deepEqual(template(), before);
    assert.equal(objectsIn(text).length, 4);
  });
});
