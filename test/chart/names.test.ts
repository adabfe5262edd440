import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CHART } from "../../scripts/chart/files.ts";
import { containersOf, helm, helmMissing, KUBERNETES, objects, only, parse, podOf } from "./helm.ts";

describe("names", { skip: helmMissing }, () => {
  const serviceOf = (release: string, ...options: readonly string[]) => {
    const { stdout, stderr } = helm("template", release, CHART, "--kube-version", KUBERNETES, ...options);
    assert.equal(stderr, "");
    return only(parse(stdout), "Service").metadata.name;
  };
  /** As long as Helm lets it be. */
  const long = (last: string) => `${"a".repeat(32)}-${"b".repeat(19)}${last}`;

  test("a release's dots are dashes, as a Service can have no dots", () => {
    assert.equal(serviceOf("router.v2"), "router-v2-semantic-router");
    assert.equal(serviceOf("semantic-router.v2"), "semantic-router-v2");
  });
  test("long ones are cut, and stay apart", () => {
    const names = ["c", "d"].map((last) => serviceOf(long(last)));
    for (const name of names) assert.match(name, /^a{32}-[0-9a-f]{6}$/);
    assert.notEqual(names[0], names[1]);
    assert.match(serviceOf(`${"a".repeat(40)}`), /^a{33}-[0-9a-f]{6}$/);
    assert.equal(serviceOf("a".repeat(24)), `${"a".repeat(24)}-semantic-router`);
  });
  test("every name of a long release fits", () => {
    for (const mode of ["gateway", "standalone"]) {
      const options = ["--set", `mode=${mode},processorService.headless=false`, "--kube-version", KUBERNETES];
      const { stdout } = helm("template", long("c"), CHART, ...options);
      for (const { metadata } of parse(stdout)) assert.ok(metadata.name.length <= 63, metadata.name);
    }
  });

  test("the Service with a virtual address is another than the one without", () => {
    const service = (values: object) =>
      only(objects({ mode: "standalone", ...values }), "Service").metadata.name;
    const processorService = { headless: false };
    assert.equal(service({}), "demo-semantic-router-processor");
    assert.equal(service({ processorService }), "demo-semantic-router-processor-vip");
    const all = objects({ mode: "standalone", processorService, envoyGateway: { enabled: true } });
    const [way] = only(all, "EnvoyExtensionPolicy").spec!.extProc!;
    assert.equal(way!.backendRefs![0]!.name, "demo-semantic-router-processor-vip");
  });
  test("no override of a name changes a selector", () => {
    const selectorsOf = (values: object) =>
      objects({ mode: "gateway", ...values }).flatMap(({ spec }) => spec?.selector ?? []);
    assert.deepEqual(selectorsOf({ nameOverride: "other", fullnameOverride: "third" }), selectorsOf({}));
  });
});

describe("probes of Envoy", { skip: helmMissing }, () => {
  for (const mode of ["sidecar", "gateway"])
    test(mode, () => {
      const envoy = objects({ mode })
        .filter(({ kind }) => kind === "Deployment")
        .flatMap(containersOf)
        .find(({ name }) => name === "envoy")!;
      const probe = (kind: string) => {
        const { exec, periodSeconds, failureThreshold } = envoy[`${kind}Probe`]!;
        return [exec!.command!.slice(4), Number(periodSeconds) * Number(failureThreshold)];
      };
      // Envoy waits for a name that DNS never answers for a minute, and starts all the same.
      assert.deepEqual(probe("startup"), [["19000"], 180]);
      assert.deepEqual(probe("readiness"), [["19000"], 10]);
      assert.deepEqual(probe("liveness"), [["19000", "any"], 60]);
    });
});

test("the check of a configuration has ten minutes", { skip: helmMissing }, () => {
  const job = only(objects({}), "Job");
  assert.equal(Number(job.spec!.activeDeadlineSeconds), 600);
  assert.ok(podOf(job));
});
