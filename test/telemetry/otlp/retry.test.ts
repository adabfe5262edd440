import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  bothProtocols,
  exporterTo,
  exportSpans,
  type GrpcAnswer,
  grpcCollector,
  type HttpAnswer,
  httpCollector,
  protocols,
} from "./collectors.ts";
import { rpcStatus } from "./status.ts";

const retry = { maxAttempts: 3 };

describe("grpc", () => {
  const again: readonly [string, GrpcAnswer][] = [
    ["CANCELLED", { code: 1 }],
    ["DEADLINE_EXCEEDED", { code: 4 }],
    ["RESOURCE_EXHAUSTED with RetryInfo", { code: 8, details: rpcStatus(8, "slow down", 5) }],
    ["ABORTED", { code: 10 }],
    ["OUT_OF_RANGE", { code: 11 }],
    ["UNAVAILABLE", { code: 14 }],
    ["DATA_LOSS", { code: 15 }],
  ];
  for (const [name, answer] of again) {
    test(`${name} is tried again`, async () => {
      await using collector = await grpcCollector((n) => (n === 1 ? answer : {}));
      await using exporter = exporterTo(protocols.grpc.url(collector.port), { retry });
      assert.deepEqual(await exportSpans(exporter, 3), { exported: 3, failed: 0 });
      assert.equal(collector.seen.length, 2);
    });
  }

  const final: readonly [string, GrpcAnswer, string][] = [
    ["2 UNKNOWN", { code: 2 }, "refused"],
    ["3 INVALID_ARGUMENT", { code: 3 }, "refused"],
    ["5 NOT_FOUND", { code: 5 }, "refused"],
    ["7 PERMISSION_DENIED", { code: 7 }, "refused"],
    ["8 RESOURCE_EXHAUSTED", { code: 8 }, "refused"],
    ["8 RESOURCE_EXHAUSTED", { code: 8, details: rpcStatus(8, "too large") }, "refused"],
    ["8 RESOURCE_EXHAUSTED", { code: 8, details: Buffer.from("garbage") }, "refused"],
    ["12 UNIMPLEMENTED", { code: 12 }, "unimplemented"],
    ["13 INTERNAL", { code: 13 }, "refused"],
    ["16 UNAUTHENTICATED", { code: 16 }, "refused"],
  ];
  for (const [name, answer, word] of final) {
    test(`${name}${answer.details ? " with details" : ""} is final`, async () => {
      await using collector = await grpcCollector(() => ({ text: "naïve: no", ...answer }));
      await using exporter = exporterTo(protocols.grpc.url(collector.port), { retry });
      const { failed, reason, message } = await exportSpans(exporter, 3);
      assert.deepEqual([failed, reason], [3, word]);
      assert.ok(message?.startsWith(`http://127.0.0.1:${collector.port}: ${name}: naïve: no`), message);
      assert.equal(collector.seen.length, 1);
    });
  }

  for (const code of [8, 14]) {
    test(`RetryInfo of code ${code} that goes past the batch's time is not waited for`, async () => {
      await using collector = await grpcCollector(() => ({ code, details: rpcStatus(code, "", 60_000) }));
      await using exporter = exporterTo(protocols.grpc.url(collector.port), { retry });
      assert.equal((await exportSpans(exporter, 1)).reason, "unavailable");
      assert.equal(collector.seen.length, 1);
    });
  }
});

describe("http/protobuf", () => {
  for (const status of [429, 502, 503, 504]) {
    test(`${status} is tried again`, async () => {
      await using collector = await httpCollector((n) => (n === 1 ? { status } : {}));
      await using exporter = exporterTo(protocols["http/protobuf"].url(collector.port), { retry });
      assert.deepEqual(await exportSpans(exporter, 3), { exported: 3, failed: 0 });
      assert.equal(collector.seen.length, 2);
    });
  }

  const final: readonly [string, HttpAnswer, RegExp][] = [
    ["its protobuf text", { status: 400, body: rpcStatus(3, "bad span") }, /HTTP 400 Bad Request: bad span$/],
    [
      "its plain text",
      { status: 401, headers: { "content-type": "text/plain" }, body: "no\nkey\0" },
      /: no key$/,
    ],
    [
      "no page",
      { status: 403, headers: { "content-type": "text/html" }, body: "<h1>" },
      /HTTP 403 Forbidden$/,
    ],
    ["404", { status: 404 }, /HTTP 404 Not Found$/],
    ["500", { status: 500 }, /HTTP 500 Internal Server Error$/],
    ["501", { status: 501 }, /HTTP 501/],
    ["a redirect", { status: 308, headers: { location: "/x" } }, /HTTP 308 .*; redirects are not followed/],
  ];
  for (const [name, answer, words] of final) {
    test(`${answer.status} is final; told: ${name}`, async () => {
      await using collector = await httpCollector(() => answer);
      const url = protocols["http/protobuf"].url(collector.port);
      await using exporter = exporterTo(url, { retry });
      const { failed, reason, message } = await exportSpans(exporter, 3);
      assert.deepEqual([failed, reason, collector.seen.length], [3, "refused", 1]);
      assert.ok(message?.startsWith(`${url}: `), message);
      assert.match(message ?? "", words);
    });
  }

  test("a path that is not /v1/traces is pointed at when it is not found", async () => {
    await using collector = await httpCollector(() => ({ status: 404 }));
    await using exporter = exporterTo(`http://127.0.0.1:${collector.port}/`, { protocol: "http/protobuf" });
    const { message } = await exportSpans(exporter, 1);
    assert.match(message ?? "", /HTTP 404 Not Found; does the endpoint lack \/v1\/traces\?$/);
  });

  const tooLate = [
    ["seconds", "60"],
    ["a date", new Date(Date.now() + 60_000).toUTCString()],
  ] as const;
  for (const [form, value] of tooLate) {
    test(`retry-after in ${form} that goes past the batch's time is not waited for`, async () => {
      await using collector = await httpCollector(() => ({ status: 503, headers: { "retry-after": value } }));
      await using exporter = exporterTo(protocols["http/protobuf"].url(collector.port), { retry });
      assert.equal((await exportSpans(exporter, 1)).reason, "unavailable");
      assert.equal(collector.seen.length, 1);
    });
  }
});

for (const protocol of bothProtocols) {
  const { url } = protocols[protocol];
  const busy = protocol === "grpc" ? { code: 14 } : { status: 503 };
  const start = (answer: () => object) =>
    protocol === "grpc"
      ? grpcCollector(answer as () => GrpcAnswer)
      : httpCollector(answer as () => HttpAnswer);

  describe(`${protocol}: attempts`, () => {
    test("as many as configured, then the spans are given up with the last answer", async () => {
      await using collector = await start(() => busy);
      await using exporter = exporterTo(url(collector.port), { retry });
      const { failed, reason, message } = await exportSpans(exporter, 3);
      assert.deepEqual([failed, reason, collector.seen.length], [3, "unavailable", 3]);
      assert.match(message ?? "", /(14 UNAVAILABLE|HTTP 503 Service Unavailable) \(3 attempts\)$/);
    });

    test("none after the batch's time", async () => {
      await using collector = await start(() => busy);
      const waits = { maxAttempts: 1000, initialBackoffMs: 40, maxBackoffMs: 40 };
      await using exporter = exporterTo(url(collector.port), { retry: waits, batch: { timeoutMs: 200 } });
      // On a slow machine the first attempt may take all the time.
      assert.match(String((await exportSpans(exporter, 1)).reason), /^(unavailable|timeout)$/);
      assert.ok(collector.seen.length < 10, `${collector.seen.length} attempts`);
    });

    test("while one request that was too slow waits for its next, others go", async () => {
      await using collector = await start(((n: number) => (n === 1 ? "never" : {})) as () => object);
      const waits = { maxAttempts: 2, initialBackoffMs: 400, maxBackoffMs: 400 };
      await using exporter = exporterTo(url(collector.port), { retry: waits, timeoutMs: 200 });
      const order: string[] = [];
      const first = exportSpans(exporter, 1).then(() => order.push("first"));
      while (collector.seen.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, 250));
      const second = exportSpans(exporter, 2).then(() => order.push("second"));
      await Promise.all([first, second]);
      assert.deepEqual(order, ["second", "first"]);
      assert.deepEqual(
        collector.seen.map(({ spans }) => spans),
        [1, 2, 1],
      );
    });
  });
}
