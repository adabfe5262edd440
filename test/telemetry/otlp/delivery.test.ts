import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { bothProtocols, exporterTo, exportSpans, httpCollector, listen, protocols } from "./collectors.ts";

for (const protocol of bothProtocols) {
  describe(protocol, () => {
    const { collector: start, url } = protocols[protocol];

    for (const compression of ["none", "gzip"] as const) {
      test(`spans arrive, compression ${compression}`, async () => {
        await using collector = await start();
        await using exporter = exporterTo(url(collector.port), { compression });
        assert.deepEqual(await exportSpans(exporter, 400), { exported: 400, failed: 0 });
        assert.deepEqual(
          collector.seen.map(({ spans }) => spans),
          [400],
        );
      });
    }

    test("gathers what comes together into one request", async () => {
      await using collector = await start();
      await using exporter = exporterTo(url(collector.port), { batch: { delayMs: 250, maxSpans: 10 } });
      const results = await Promise.all([3, 3, 4, 1].map((spans) => exportSpans(exporter, spans)));
      assert.deepEqual(
        results.map(({ exported }) => exported),
        [3, 3, 4, 1],
      );
      assert.deepEqual(
        collector.seen.map(({ spans }) => spans),
        [10, 1],
      );
    });

    test("configured headers go on every request, those from files as they are at that time", async () => {
      const folder = mkdtempSync(join(tmpdir(), "otlp-"));
      try {
        const file = join(folder, "token");
        await using collector = await start();
        await using exporter = exporterTo(url(collector.port), {
          headers: { "X-Tenant": "blue" },
          headerFiles: { Authorization: file },
        });
        const absent = await exportSpans(exporter, 1);
        assert.deepEqual([absent.failed, absent.reason], [1, "unavailable"]);
        assert.match(absent.message ?? "", /header "Authorization": cannot read .*token \(ENOENT\)/);
        writeFileSync(file, "");
        assert.match(
          (await exportSpans(exporter, 1)).message ?? "",
          /header "authorization": .*token is empty/,
        );
        assert.equal(collector.seen.length, 0);
        for (const token of ["Bearer first\n", "  Bearer second\n"]) {
          writeFileSync(file, token);
          assert.equal((await exportSpans(exporter, 1)).exported, 1);
        }
        assert.deepEqual(
          collector.seen.map(({ headers }) => [headers["x-tenant"], headers.authorization]),
          [
            ["blue", "Bearer first"],
            ["blue", "Bearer second"],
          ],
        );
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    test("a header that cannot be sent is named, and not tried again", async () => {
      await using collector = await start();
      const headers = { "no such name": "secret" };
      await using exporter = exporterTo(url(collector.port), { headers, retry: { maxAttempts: 3 } });
      const { failed, reason, message } = await exportSpans(exporter, 1);
      assert.deepEqual([failed, reason], [1, "refused"]);
      assert.match(message ?? "", /"no such name"[^(]*$/);
    });

    test("names itself", async () => {
      await using collector = await start();
      await using exporter = exporterTo(url(collector.port));
      await exportSpans(exporter, 1);
      assert.equal(collector.seen[0]?.headers["user-agent"], "semantic-router-otlp/9.9");
    });
  });
}

test("grpc: one unary call in gRPC's frame, smaller when compressed; the answer may be compressed too", async () => {
  const bodies: Buffer[] = [];
  const server = createServer();
  server.on("stream", async (stream, headers) => {
    assert.equal(headers[":path"], "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    const { te, "content-type": type, "grpc-timeout": timeout } = headers;
    assert.deepEqual([te, type, timeout], ["trailers", "application/grpc", "5000m"]);
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    bodies.push(Buffer.concat(parts));
    const packed = headers["grpc-encoding"] === "gzip";
    const answer = Buffer.concat([Buffer.from([0x0a, 4, 0x12, 2]), Buffer.from("ok")]);
    const message = packed ? gzipSync(answer) : answer;
    stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.concat([Buffer.from([packed ? 1 : 0, 0, 0, 0, message.length]), message]));
  });
  const stop = await listen(server);
  try {
    for (const compression of ["none", "gzip"] as const) {
      await using exporter = exporterTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
        compression,
      });
      const { exported, message } = await exportSpans(exporter, 100);
      assert.deepEqual([exported, message?.split(" warns: ")[1]], [100, "ok"]);
    }
  } finally {
    await stop();
  }
  const [plain, packed] = bodies as [Buffer, Buffer];
  assert.deepEqual([plain[0], plain.readUInt32BE(1)], [0, plain.length - 5]);
  assert.deepEqual([packed[0], packed.readUInt32BE(1)], [1, packed.length - 5]);
  assert.deepEqual(gunzipSync(packed.subarray(5)).length, plain.length - 5);
  assert.ok(packed.length < plain.length / 2);
});

test("http/protobuf: posts to exactly the URL, smaller when compressed", async () => {
  await using collector = await httpCollector();
  const url = `http://127.0.0.1:${collector.port}/tenant/v1/traces?key=1`;
  for (const compression of ["none", "gzip"] as const) {
    await using exporter = exporterTo(url, { compression });
    assert.equal((await exportSpans(exporter, 100)).exported, 100);
  }
  const [plain, packed] = collector.seen;
  assert.equal(plain?.headers[":path"], "/tenant/v1/traces?key=1");
  assert.equal(plain?.headers["content-type"], "application/x-protobuf");
  assert.equal(packed?.headers["content-encoding"], "gzip");
  assert.ok(packed!.bytes < plain!.bytes / 2);
});
