import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KubeObject } from "../../scripts/kubernetes/kubectl.ts";
import { restrictedNamespace } from "./cluster.ts";

type Scaled = KubeObject & { readonly spec: { readonly replicas: number } };

// Upgrades that change what an object of Kubernetes keeps for its whole life, or what it takes back to its default.
describe("an upgrade", () => {
  const space = restrictedNamespace("upgrades");
  const set = (...values: readonly string[]) => ["--set", values.join(",")];
  const works = (verb: "install" | "upgrade", release: string, ...values: readonly string[]) => {
    const { status, stderr } = space.apply(verb, release, ...set("configCheck.enabled=false", ...values));
    assert.equal(status, 0, stderr);
  };
  const services = () => space.list("services").map(({ metadata }) => metadata.name);

  test("gives the processor's Service a virtual address, and takes it away", () => {
    works("install", "address", "mode=standalone");
    works("upgrade", "address", "mode=standalone", "processorService.headless=false");
    assert.deepEqual(services(), ["address-semantic-router-processor-vip"]);
    works("upgrade", "address", "mode=standalone");
    assert.deepEqual(services(), ["address-semantic-router-processor"]);
  });

  test("changes the name in the labels", () => {
    works("install", "named", "fullnameOverride=named");
    works("upgrade", "named", "fullnameOverride=named", "nameOverride=other");
  });

  test("hands the number of pods to the autoscaler as it is", () => {
    const replicas = () => space.get<Scaled>("deployment", "scaled-semantic-router").spec.replicas;
    works("install", "scaled", "replicaCount=3");
    for (const _ of ["switched on", "and left on"]) {
      works("upgrade", "scaled", "autoscaling.enabled=true");
      assert.equal(replicas(), 3);
    }
  });
});
