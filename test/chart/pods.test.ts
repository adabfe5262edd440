import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { helmMissing, objects, only, podOf, routerOf, type Tree } from "./helm.ts";

const configOf = (values: object) =>
  parse(only(objects(values), "ConfigMap", "demo-semantic-router").data!["config.yaml"]!) as object;

describe("who may connect to whom", { skip: helmMissing }, () => {
  const from = [{ podSelector: { matchLabels: { role: "client" } } }];
  const waysOf = (mode: string) =>
    objects({
      mode,
      networkPolicy: { enabled: true, from, egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] },
    })
      .filter(({ kind }) => kind === "NetworkPolicy")
      .map(({ spec }) => {
        const component = (peer: Tree | undefined) => {
          const labels = peer?.podSelector?.matchLabels;
          return labels?.role ?? labels?.["app.kubernetes.io/component"];
        };
        const [way] = spec!.ingress!;
        const out = spec!.egress!.map(({ ports, to }) => ports?.[0]?.port ?? component(to?.[0]) ?? "given");
        return [component(spec as Tree), way!.ports![0]!.port, component(way!.from![0]), out];
      });
  const rows = {
    sidecar: [["router", "http", "client", ["given", 53]]],
    standalone: [["processor", "grpc", "client", ["given", 53]]],
    gateway: [
      ["processor", "grpc", "envoy", ["given", 53]],
      ["envoy", "http", "client", ["given", 53, "grpc"]],
    ],
  };
  for (const [mode, ways] of Object.entries(rows)) test(mode, () => assert.deepEqual(waysOf(mode), ways));
});

describe("how long a pod may take to end", { skip: helmMissing }, () => {
  const graceOf = (values: object, name: string) =>
    Number(podOf(only(objects(values), "Deployment", name)).spec!.terminationGracePeriodSeconds);
  const times = {
    preStopSeconds: 7,
    envoy: { drainSeconds: 100 },
    config: { server: { drain_seconds: 30 } },
  };

  test("the waits one after the other, and ten seconds", () => {
    assert.equal(graceOf({ ...times }, "demo-semantic-router"), 7 + 100 + 30 + 10);
    assert.equal(graceOf({ ...times, mode: "standalone" }, "demo-semantic-router-processor"), 7 + 30 + 10);
    assert.equal(graceOf({ ...times, mode: "gateway" }, "demo-semantic-router-processor"), 7 + 30 + 10);
    assert.equal(graceOf({ ...times, mode: "gateway" }, "demo-semantic-router-envoy"), 7 + 100 + 10);
  });
  test("where the configuration does not say: the processor's own 20 seconds, or those of Envoy that does not end with it", () => {
    const envoy = { drainSeconds: 100 };
    assert.equal(graceOf({ envoy }, "demo-semantic-router"), 5 + 100 + 20 + 10);
    for (const mode of ["standalone", "gateway"])
      for (const config of [{}, { server: null }, { server: { drain_seconds: "" } }]) {
        const values = { mode, envoy, config };
        assert.equal(graceOf(values, "demo-semantic-router-processor"), 5 + 100 + 10);
        assert.deepEqual(configOf(values), { server: { drain_seconds: 100 } });
      }
    const none = { mode: "standalone", config: { server: { drain_seconds: 0 } } };
    assert.equal(graceOf(none, "demo-semantic-router-processor"), 5 + 10);
  });
  test("a sidecar goes after its Envoy, so it waits for nobody; alone it waits", () => {
    assert.equal(routerOf(objects({})).lifecycle, undefined);
    assert.equal(routerOf(objects({})).restartPolicy, "Always");
    assert.deepEqual(routerOf(objects({ mode: "gateway" })).lifecycle, {
      preStop: { sleep: { seconds: 5 } },
    });
  });
});

describe("what the values add to the configuration", { skip: helmMissing }, () => {
  const tracing = { sampling: { rate: 0.5 } };

  test("a collector", () => {
    const otlp = { endpoint: "collector:4317" };
    const exporter = { type: "otlp", endpoint: "collector:4317", insecure: true };
    assert.deepEqual(configOf({ otlp }), { observability: { tracing: { enabled: true, exporter } } });
    assert.deepEqual(
      configOf({
        otlp: { ...otlp, insecure: false, protocol: "grpc" },
        config: { observability: { tracing } },
      }),
      {
        observability: {
          tracing: {
            ...tracing,
            enabled: true,
            exporter: { ...exporter, insecure: false, protocol: "grpc" },
          },
        },
      },
    );
  });
  test("a token of the admin, as a variable that the processor gets from the Secret", () => {
    const values = { adminToken: { secretName: "admin" } };
    assert.deepEqual(configOf(values), { admin: { token: `\${ADMIN_TOKEN}` } });
    assert.deepEqual(routerOf(objects(values)).env, [
      { name: "ADMIN_TOKEN", valueFrom: { secretKeyRef: { name: "admin", key: "token" } } },
    ]);
  });
  test("nothing else", () => assert.deepEqual(configOf({}), {}));
  test("a drain that the configuration has is left alone, 0 as well", () => {
    for (const drain_seconds of [0, 30]) {
      const config = { server: { drain_seconds } };
      assert.deepEqual(configOf({ mode: "gateway", config }), config);
    }
  });
});
