import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { helmMissing, template } from "./helm.ts";

const one = { name: "a", address: "10.0.0.1", port: 8000 };
const endpoints = (...vllm_endpoints: object[]) => ({ config: { vllm_endpoints } });

/** Values that cannot work, and what the user reads in place of an installation. */
const refused: readonly [name: string, values: object, says: RegExp][] = [
  // By the schema.
  ["an unknown value", { replicas: 2 }, /additional propert.*'replicas'/],
  ["an unknown value in a section", { service: { kind: "NodePort" } }, /service.*'kind' not allowed/],
  ["an unknown mode", { mode: "side-car" }, /mode.*'sidecar', 'standalone', 'gateway'/],
  ["a value of another type", { replicaCount: "two" }, /replicaCount.*got string, want integer/],
  ["a number below its range", { replicaCount: -1 }, /replicaCount.*minimum/],
  ["a value taken away", { mode: null }, /missing property 'mode'/],
  ["a digest that is none", { image: { digest: "sha256:1" } }, /digest.*does not match pattern/],
  [
    "a share of pods that is none",
    { podDisruptionBudget: { maxUnavailable: "half" } },
    /maxUnavailable.*pattern/,
  ],
  ["an annotation that is no text", { podAnnotations: { a: true } }, /podAnnotations\/a.*want string/],
  [
    "a secret variable without its key",
    { secretEnv: [{ name: "A", secretName: "b" }] },
    /missing property 'key'/,
  ],
  [
    "an unknown key of the configuration",
    { config: { vllm_endpoint: [] } },
    /config.*'vllm_endpoint' not allowed/,
  ],
  [
    "a number of the configuration that is text",
    { config: { limits: { max_json_depth: "deep" } } },
    /max_json_depth/,
  ],
  [
    "a number of the configuration out of range",
    { config: { limits: { max_json_depth: 4 } } },
    /max_json_depth.*minimum/,
  ],
  [
    "a word of the configuration that is not known",
    { config: { logging: { level: "loud" } } },
    /logging\/level.*loud/,
  ],
  [
    "an endpoint without a port",
    endpoints({ name: "a", address: "b" }),
    /vllm_endpoints\/0.*missing property 'port'/,
  ],

  ["a variable that is no text", { extraEnv: [{ name: "A", value: 1 }] }, /extraEnv\/0\/value.*want string/],
  ["a variable without a proper name", { extraEnv: [{ name: "A B" }] }, /extraEnv\/0\/name.*pattern/],
  ["a volume without a proper name", { extraVolumes: [{ name: "My" }] }, /extraVolumes\/0\/name.*pattern/],
  ["an account without a proper name", { serviceAccount: { name: "A_b" } }, /serviceAccount\/name.*pattern/],

  // By the templates.
  [
    "an address for the processor",
    { config: { server: { listen: "0.0.0.0:1" } } },
    /config\.server\.listen is the chart's own: remove it/,
  ],
  [
    "an address for its status",
    { config: { server: { status_listen: "0.0.0.0:1" } } },
    /config\.server\.status_listen is the chart's own/,
  ],
  [
    "an address for its admin",
    { config: { admin: { listen: "0.0.0.0:1" } } },
    /config\.admin\.listen is the chart's own/,
  ],
  ["an argument of the chart's", { extraArgs: ["--listen=x:1"] }, /extraArgs: --listen is the chart's own/],
  [
    "an argument of the chart's, and its value",
    { extraArgs: ["--config", "x"] },
    /extraArgs: --config is the chart's own/,
  ],
  [
    "a label of the chart's",
    { commonLabels: { "app.kubernetes.io/name": "x" } },
    /commonLabels: the label app.kubernetes.io\/name/,
  ],
  [
    "an annotation of the chart's",
    { podAnnotations: { "checksum/envoy": "1" } },
    /podAnnotations: the annotation checksum\/envoy is the chart's own/,
  ],
  [
    "another annotation of the chart's",
    { podAnnotations: { "kubectl.kubernetes.io/default-container": "envoy" } },
    /podAnnotations: the annotation kubectl\.kubernetes\.io\/default-container/,
  ],
  [
    "a token that everybody can read",
    { config: { admin: { token: "open-sesame" } } },
    /config\.admin\.token is written out.*adminToken\.secretName/,
  ],
  [
    "a label given twice",
    { commonLabels: { a: "1" }, podLabels: { a: "2" } },
    /label a is in both commonLabels and podLabels/,
  ],
  [
    "a variable given twice",
    {
      extraEnv: [
        { name: "A", value: "1" },
        { name: "A", value: "2" },
      ],
    },
    /variable A is given twice/,
  ],
  [
    "the variable of the admin's token given twice",
    { adminToken: { secretName: "s" }, extraEnv: [{ name: "ADMIN_TOKEN", value: "1" }] },
    /variable ADMIN_TOKEN is given twice/,
  ],
  [
    "two tokens for the admin",
    { adminToken: { secretName: "s" }, config: { admin: { token: `\${T}` } } },
    /adminToken\.secretName and config\.admin\.token/,
  ],
  [
    "two collectors",
    { otlp: { endpoint: "a:1" }, config: { observability: { tracing: { exporter: { endpoint: "b:1" } } } } },
    /otlp\.endpoint and config\.observability\.tracing\.exporter\.endpoint both/,
  ],
  [
    "a collector, and tracing switched off",
    { otlp: { endpoint: "a:1" }, config: { observability: { tracing: { enabled: false } } } },
    /config\.observability\.tracing\.enabled does not: remove one/,
  ],
  [
    "a drain that only a variable knows",
    { config: { server: { drain_seconds: `\${DRAIN}` } } },
    /drain_seconds must be a number/,
  ],
  [
    "an endpoint's address that only a variable knows",
    endpoints({ ...one, address: `\${HOST}` }),
    /vllm_endpoints\[0\]\.address must be written out/,
  ],
  [
    "an endpoint's port that only a variable knows",
    endpoints(one, { ...one, name: "b", port: `\${PORT}` }),
    /vllm_endpoints\[1\]\.port must be written out/,
  ],
  [
    "an endpoint whose name is empty",
    endpoints({ ...one, name: "" }),
    /vllm_endpoints\[0\]\.name must be written out/,
  ],
  [
    "an endpoint that is nothing",
    { config: { vllm_endpoints: [null] } },
    /vllm_endpoints\[0\] is empty: give it name, address and port/,
  ],
  [
    "an endpoint that is nothing, for an Envoy that is there",
    { mode: "standalone", config: { vllm_endpoints: [one, null] } },
    /vllm_endpoints\[1\] is empty/,
  ],
  [
    "an IPv6 address in brackets",
    { mode: "standalone", ...endpoints({ ...one, address: "[fd00::1]" }) },
    /vllm_endpoints\[0\]\.address: write the IPv6 address without brackets, not "\[fd00::1\]"/,
  ],
  ["two endpoints of one name", endpoints(one, one), /vllm_endpoints\[1\]: two endpoints are named "a"/],
  [
    "a header that only a variable knows",
    { config: { routing: { endpoint_header: `\${BY}` } } },
    /endpoint_header must be name or address/,
  ],
  [
    "a node's port without a type that has one",
    { service: { nodePort: 30080 } },
    /service\.nodePort needs service\.type/,
  ],
  [
    "another port of pods without a virtual address",
    { mode: "standalone", processorService: { port: 80 } },
    /processorService\.port can only be 50051/,
  ],
  [
    "fewest pods above most",
    { autoscaling: { enabled: true, minReplicas: 11 } },
    /minReplicas is above autoscaling\.maxReplicas/,
  ],
  [
    "scaling by the use of CPU that nothing requests",
    { mode: "gateway", autoscaling: { enabled: true }, resources: { requests: null } },
    /autoscaling\.enabled needs resources\.requests\.cpu/,
  ],
  [
    "scaling by the use of CPU that Envoy does not request",
    { autoscaling: { enabled: true }, envoy: { resources: { requests: { cpu: null } } } },
    /autoscaling\.enabled needs envoy\.resources\.requests\.cpu/,
  ],
  [
    "an Envoy Gateway beside an own Envoy",
    { envoyGateway: { enabled: true } },
    /envoyGateway\.enabled needs mode: standalone, not sidecar/,
  ],
  [
    "a Gateway without a name",
    { mode: "standalone", envoyGateway: { enabled: true, gateway: { create: false } } },
    /envoyGateway\.gateway\.name must name the Gateway/,
  ],
];

describe("values that cannot work are refused", { skip: helmMissing }, () => {
  for (const [name, values, says] of refused)
    test(name, () => {
      const { status, stderr } = template(values);
      assert.notEqual(status, 0);
      assert.match(stderr, says);
    });

  test("what only a variable knows is fine where no Envoy is made from it", () => {
    const config = { vllm_endpoints: [{ ...one, address: `\${HOST}`, port: `\${PORT}` }] };
    const { status, stderr } = template({ mode: "standalone", config });
    assert.equal(status, 0, stderr);
  });
  test("an older Kubernetes is refused", () => {
    const { status, stderr } = template({}, "--kube-version", "1.29.0");
    assert.notEqual(status, 0);
    assert.match(stderr, /requires kubeVersion/);
  });
});
