import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { gatewaySchemas } from "../../scripts/chart/envoy-gateway.ts";
import { ENVOY_PATHS } from "../../src/envoy/render.ts";
import { textOf } from "../support/repo.ts";
import { helmMissing, type KubernetesObject, objects, only, type Tree } from "./helm.ts";

const endpoints = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    name: `model ${i}`,
    address: `Host-${i}.models`,
    port: 8000 + i,
  }));
const values = (count: number, more: object = {}) => ({
  mode: "standalone",
  envoyGateway: { enabled: true, ...more },
  config: { vllm_endpoints: endpoints(count) },
});

const [schemas, schemasMissing] = find();

function find(): [Map<string, object>, string | false] {
  try {
    return [gatewaySchemas(), false];
  } catch (error) {
    if (process.env.CI) throw error;
    const message = (error as Error).message;
    process.stderr.write(`objects of Envoy Gateway are not checked against its schemas: ${message}\n`);
    return [new Map(), message];
  }
}

describe("the objects for an Envoy Gateway are such as it defines them", {
  skip: helmMissing || schemasMissing,
}, () => {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const isOf = (one: KubernetesObject) => {
    const schema = schemas.get(`${String(one.apiVersion)}/${one.kind}`);
    assert.ok(schema, `${String(one.apiVersion)}/${one.kind}`);
    const check = ajv.compile(schema);
    return check(one) ? [] : check.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
  const others = {
    ...values(3),
    config: {
      vllm_endpoints: [
        { name: "a", address: "fd00::1", port: 1 },
        { name: "b", address: "10.0.0.1", port: 2 },
      ],
    },
  };
  const shapes = {
    "no endpoint": values(0),
    "one route": values(3),
    "several routes": values(40),
    "IP addresses": others,
  };

  for (const [name, shape] of Object.entries(shapes))
    test(name, () => {
      const own = objects(shape).filter(({ apiVersion }) => /gateway/.test(String(apiVersion)));
      assert.ok(own.length >= 7);
      for (const one of own) assert.deepEqual(isOf(one), [], `${one.kind} ${one.metadata.name}`);
    });
  test("the schemas can say no", () => {
    const policy = structuredClone(only(objects(values(1)), "ClientTrafficPolicy")) as unknown as {
      spec: Record<string, unknown>;
    };
    policy.spec.header = {};
    assert.match(isOf(policy as never).join(), /must NOT have additional properties/);
  });
});

describe("an Envoy Gateway routes as the chart's own Envoy does", { skip: helmMissing }, () => {
  const template = parse(textOf("envoy/envoy.yaml")) as Tree;
  const at = (path: readonly (string | number)[]) =>
    path.reduce<Tree>((node, key) => (node as unknown as Record<string | number, Tree>)[key]!, template);
  const all = helmMissing ? [] : objects(values(40));
  const routes = all.filter(({ kind }) => kind === "HTTPRoute");
  const rules = routes.flatMap(({ spec }) => [...spec!.rules!]);

  test("one rule per endpoint, at most 16 to a route, each to the endpoint's own address", () => {
    assert.deepEqual(
      routes.map(({ spec }) => spec!.rules!.length),
      [1, 16, 16, 8],
    );
    const ways = rules.slice(1).map(({ matches, backendRefs }) => {
      const [fqdn] = only(all, "Backend", backendRefs![0]!.name).spec!.endpoints!;
      assert.equal(matches![0]!.headers![0]!.name, "x-vsr-destination-endpoint");
      return [matches![0]!.headers![0]!.value, fqdn!.fqdn];
    });
    const wanted = endpoints(40).map(({ name, address, port }) => [
      name,
      { hostname: address.toLowerCase(), port },
    ]);
    assert.deepEqual(ways, wanted);
  });
  test("what nobody routed gets the answer of envoy.yaml, and reaches no model", () => {
    const [{ matches, backendRefs, filters }] = rules as [Tree];
    assert.deepEqual([matches, backendRefs], [[{ path: { type: "PathPrefix", value: "/" } }], undefined]);
    assert.equal(filters![0]!.extensionRef!.name, only(all, "HTTPRouteFilter").metadata.name);
    const { status, body } = at(ENVOY_PATHS.routes).at(-1)!.direct_response!;
    const { statusCode, contentType, body: said } = only(all, "HTTPRouteFilter").spec!.directResponse!;
    assert.deepEqual(
      [statusCode, contentType, said!.inline],
      [status, "application/json", body!.inline_string],
    );
  });
  test("every route is judged by the processor: closed where it fails, with the modes and times of envoy.yaml", () => {
    const { targetRefs, extProc } = only(all, "EnvoyExtensionPolicy").spec!;
    assert.deepEqual(
      targetRefs!.map(({ name }) => name),
      routes.map(({ metadata }) => metadata.name),
    );
    const filter = at(ENVOY_PATHS.extProc);
    const { failOpen, statusOnError, messageTimeout, processingMode, backendRefs } =
      extProc![0]! as unknown as Record<string, never>;
    assert.deepEqual(
      { failOpen, statusOnError, messageTimeout, processingMode },
      {
        failOpen: filter.failure_mode_allow,
        statusOnError: 503,
        messageTimeout: filter.message_timeout,
        processingMode: {
          allowModeOverride: filter.allow_mode_override,
          request: { body: "Buffered", attributes: filter.request_attributes },
          response: { body: "Streamed", attributes: filter.response_attributes },
        },
      },
    );
    const { request_body_mode, response_body_mode } = filter.processing_mode!;
    assert.deepEqual(
      [request_body_mode, response_body_mode, filter.status_on_error!.code],
      ["BUFFERED", "STREAMED", "ServiceUnavailable"],
    );
    const service = only(all, "Service");
    assert.deepEqual(backendRefs, [{ name: service.metadata.name, port: service.spec!.ports![0]!.port }]);
  });
  test("no client chooses: its headers are gone before a route is looked for", () => {
    const { headers } = only(all, "ClientTrafficPolicy").spec!;
    assert.deepEqual(headers!.earlyRequestHeaders, {
      remove: ["x-selected-model"],
      removeOnMatch: ["x-vsr-", "x-envoy-"].map((value) => ({ type: "Prefix", value })),
    });
  });
  test("what the policies have no words for is patched in, as envoy.yaml has it", () => {
    const { jsonPatches } = only(all, "EnvoyPatchPolicy").spec!;
    const patched = Object.fromEntries(
      jsonPatches!.map(({ operation }) => [operation!.path!.slice(1), operation!.value]),
    );
    const manager = structuredClone(at(ENVOY_PATHS.connectionManager)) as unknown as Record<string, Tree>;
    const name = "envoyextensionpolicy/prod/demo-semantic-router/extproc/0";
    (
      manager.access_log![0]!.typed_config!.common_config!.grpc_service!.envoy_grpc as unknown as Record<
        string,
        string
      >
    ).cluster_name = name;
    const processor = (at(ENVOY_PATHS.clusters) as unknown as Tree[]).at(-1)!;
    const [check] = processor.health_checks!;
    assert.deepEqual(patched, {
      health_checks: [
        { ...(check as object), grpc_health_check: { authority: "demo-semantic-router-processor" } },
      ],
      max_message_timeout: at(ENVOY_PATHS.extProc).max_message_timeout,
      local_reply_config: manager.local_reply_config,
      access_log: manager.access_log,
      request_id_extension: manager.request_id_extension,
    });
    const names = { Listener: "prod/demo-semantic-router/http", Cluster: name };
    for (const patch of jsonPatches!)
      assert.equal(patch.name, names[patch.type!.split(".").at(-1) as keyof typeof names]);
    assert.ok(jsonPatches![0]!.operation!.jsonPath!.includes(`'envoy.filters.http.ext_proc/${name}'`));
  });
  test("a Gateway that is there is attached to, and none is made", () => {
    const attached = objects(values(1, { gateway: { create: false, name: "shared", listener: "web" } }));
    assert.ok(attached.every(({ kind }) => kind !== "Gateway"));
    for (const { spec } of attached.filter(({ kind }) => kind === "HTTPRoute"))
      assert.deepEqual(spec!.parentRefs, [{ name: "shared", sectionName: "web" }]);
    assert.equal(only(attached, "EnvoyPatchPolicy").spec!.jsonPatches![0]!.name, "prod/shared/web");
  });
});
