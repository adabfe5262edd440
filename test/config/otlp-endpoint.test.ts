import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type EndpointRules, otlpEndpoint } from "../../src/config/otlp-endpoint.ts";

const rules: EndpointRules = { protocol: undefined, insecure: false, tracesPath: "default" };
const seen = (text: string, more: Partial<EndpointRules> = {}) => {
  const found = otlpEndpoint(text, { ...rules, ...more });
  return "fault" in found ? found.fault : `${found.protocol} ${found.url}`;
};
const plain = { insecure: true };
const grpc = { protocol: "grpc" } as const;
const http = { protocol: "http/protobuf" } as const;

type Row = readonly [text: string, more: Partial<EndpointRules>, want: string];

const forms: readonly Row[] = [
  ["localhost:4317", {}, "grpc https://localhost:4317"],
  ["localhost:4317", plain, "grpc http://localhost:4317"],
  ["localhost:4318", plain, "grpc http://localhost:4318"],
  ["collector", plain, "grpc http://collector:4317"],
  ["collector", { ...http, ...plain }, "http/protobuf http://collector:4318/v1/traces"],
  ["collector:80", { ...http, ...plain }, "http/protobuf http://collector/v1/traces"],
  ["collector:9/in", { ...http, ...plain }, "http/protobuf http://collector:9/in"],
  ["grpc://c:4317", {}, "grpc https://c:4317"],
  ["grpc://c:4317/", plain, "grpc http://c:4317"],
  ["grpc://c", plain, "grpc http://c:4317"],
  ["http://c:4317", {}, "grpc http://c:4317"],
  ["http://c:4317", http, "http/protobuf http://c:4317/v1/traces"],
  ["http://c:4318", {}, "http/protobuf http://c:4318/v1/traces"],
  ["http://c:4318", grpc, "grpc http://c:4318"],
  ["http://c:4318/", {}, "http/protobuf http://c:4318/v1/traces"],
  ["http://c:4318/x/", {}, "http/protobuf http://c:4318/x/"],
  ["https://c:4317", {}, "grpc https://c:4317"],
  ["https://c:4317", plain, "grpc https://c:4317"],
  ["HTTPS://C:8443", {}, "http/protobuf https://c:8443/v1/traces"],
  ["https://c", {}, "http/protobuf https://c/v1/traces"],
  ["https://c", grpc, "grpc https://c:4317"],
  ["http://c", {}, "http/protobuf http://c/v1/traces"],
  ["https://c:9/v1/traces?tenant=a", {}, "http/protobuf https://c:9/v1/traces?tenant=a"],
  ["[::1]:4317", plain, "grpc http://[::1]:4317"],
  ["[::1]", plain, "grpc http://[::1]:4317"],
  ["http://[2001:db8::1]:4318", {}, "http/protobuf http://[2001:db8::1]:4318/v1/traces"],
  ["10.0.0.1:80", plain, "grpc http://10.0.0.1"],
];

// What OpenTelemetry's specification shows of OTEL_EXPORTER_OTLP_ENDPOINT and of ..._TRACES_ENDPOINT.
const general = { tracesPath: "append" } as const;
const specific = { tracesPath: "exact" } as const;
const specification: readonly Row[] = [
  ["http://collector:4318", general, "http/protobuf http://collector:4318/v1/traces"],
  ["http://collector:4318/", general, "http/protobuf http://collector:4318/v1/traces"],
  [
    "http://collector:4318/mycollector/",
    general,
    "http/protobuf http://collector:4318/mycollector/v1/traces",
  ],
  ["http://collector:4318/mycollector", general, "http/protobuf http://collector:4318/mycollector/v1/traces"],
  ["http://my-api-endpoint/", general, "http/protobuf http://my-api-endpoint/v1/traces"],
  [
    "https://collector.example.com/v1/traces",
    specific,
    "http/protobuf https://collector.example.com/v1/traces",
  ],
  ["http://collector:4318", specific, "http/protobuf http://collector:4318/"],
  ["http://collector:4318/other/", specific, "http/protobuf http://collector:4318/other/"],
  ["https://my-api-endpoint:443", { ...general, ...grpc }, "grpc https://my-api-endpoint"],
  ["http://localhost:4317", { ...general, ...grpc }, "grpc http://localhost:4317"],
  ["http://localhost:4317", { ...specific, ...grpc }, "grpc http://localhost:4317"],
  ["http://localhost:4318", { ...general, ...http }, "http/protobuf http://localhost:4318/v1/traces"],
];

describe("what an endpoint stands for", () => {
  for (const [text, more, want] of [...forms, ...specification])
    test(`${text} ${JSON.stringify(more)}`, () => assert.equal(seen(text, more), want));
});

describe("what has no effect is told", () => {
  const path = "the path has no effect: gRPC calls go to host and port";
  const rows: readonly (readonly [string, Partial<EndpointRules>, ...string[]])[] = [
    ["http://c:4317/", {}],
    ["http://c:4317/v1/traces", {}, path],
    ["grpc://c/x", plain, path],
    ["http://c:4318/v1/traces", grpc, path],
    ["http://c:4318/v1/traces", {}],
    ["http://c:4318/v1/traces", specific],
    [
      "http://c:4318/v1/traces",
      general,
      "ends in /v1/traces, and gets it once more; OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is the one used as it is",
    ],
    ["grpc://c:4317", http, "grpc:// means gRPC; the protocol http/protobuf has no effect"],
  ];
  for (const [text, more, ...want] of rows) {
    test(`${text} ${JSON.stringify(more)}`, () => {
      const found = otlpEndpoint(text, { ...rules, ...more });
      assert.ok(!("fault" in found));
      assert.deepEqual(found.warnings, want);
    });
  }
});

describe("what is none", () => {
  const form = "must be host:port, or a URL of http://, https:// or grpc://";
  const noCredentials = "must not carry credentials before an @; headers or header_files carry them";
  const rows: readonly (readonly [string, string])[] = [
    ["", form],
    [":4317", form],
    ["c:", form],
    ["c:0", form],
    ["c:99999", form],
    ["c:abc", form],
    ["::1:4317", form],
    ["x y:1", form],
    ["http://", form],
    ["http:///v1/traces", form],
    ["[::g]:1", form],
    ["10.0.0.256:1", form],
    ["ftp://c:1", `${form}, not of ftp://`],
    ["unix:///run/otel.sock", `${form}, not of unix://`],
    ["c:1?x", `${form}, without ? and #`],
    ["http://c:1/#x", `${form}, without ? and #`],
    ["u:secret@c:1", noCredentials],
    ["https://user:secret@c:4318/v1/traces", noCredentials],
    ["https://token@c", noCredentials],
  ];
  for (const [text, want] of rows) test(JSON.stringify(text), () => assert.equal(seen(text), want));
});
