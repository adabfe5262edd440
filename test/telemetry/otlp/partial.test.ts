import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Writer } from "../../../src/protobuf/wire.ts";
import {
  bothProtocols,
  exporterTo,
  exportSpans,
  grpcCollector,
  httpCollector,
  protocols,
} from "./collectors.ts";

/** An ExportTraceServiceResponse with a partial success. */
function partial(rejected: number, message: string): Buffer {
  const writer = new Writer();
  writer.begin();
  writer.field(2, message);
  writer.integer(1, rejected);
  writer.wrap(1, 0);
  return writer.finish();
}

for (const protocol of bothProtocols) {
  const { url } = protocols[protocol];
  const start = (answer: Buffer) =>
    protocol === "grpc" ? grpcCollector(() => ({ answer })) : httpCollector(() => ({ body: answer }));

  describe(protocol, () => {
    test("rejected spans count as failed, over all that shared the request", async () => {
      await using collector = await start(partial(5, "too old"));
      await using exporter = exporterTo(url(collector.port), { batch: { delayMs: 250 } });
      const results = await Promise.all([3, 3, 4].map((spans) => exportSpans(exporter, spans)));
      assert.equal(collector.seen.length, 1);
      assert.deepEqual(
        results.map(({ exported, failed, reason }) => [exported, failed, reason]),
        [
          [0, 3, "rejected"],
          [1, 2, "rejected"],
          [4, 0, undefined],
        ],
      );
      for (const { message } of results.slice(0, 2))
        assert.match(message ?? "", /: 5 spans rejected: too old$/);
      assert.equal(results[2]!.message, undefined);
    });

    test("a message without rejected spans is a warning", async () => {
      await using collector = await start(partial(0, "slow\ndown"));
      await using exporter = exporterTo(url(collector.port));
      const { exported, failed, reason, message } = await exportSpans(exporter, 2);
      assert.deepEqual([exported, failed, reason], [2, 0, undefined]);
      assert.match(message ?? "", / warns: slow down$/);
    });

    for (const [rejected, failed] of [
      [2 ** 40, 2],
      [-1, 0],
    ] as const) {
      test(`${rejected} of 2 rejected spans are ${failed}`, async () => {
        await using collector = await start(partial(rejected, ""));
        await using exporter = exporterTo(url(collector.port));
        const result = await exportSpans(exporter, 2);
        assert.deepEqual([result.exported, result.failed], [2 - failed, failed]);
      });
    }
  });
}

describe("http/protobuf: answers of backends that are not quite OTLP", () => {
  const rows: readonly [string, string, string, number, RegExp | undefined][] = [
    ["empty, any type", "text/plain", "", 0, undefined],
    ["text", "text/plain", "ok", 0, undefined],
    ["JSON", "application/json; charset=utf-8", "{}", 0, undefined],
    [
      "JSON, partial",
      "application/json",
      '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"m"}}',
      1,
      /1 spans rejected: m$/,
    ],
    ["JSON that is none", "application/json", "{", 2, /no ExportTraceServiceResponse/],
    ["a page", "text/html", "<html>", 2, /HTTP 200, but no .* is this the URL of a collector/],
    ["protobuf that is none", "application/x-protobuf", "garbage", 2, /no ExportTraceServiceResponse/],
  ];
  for (const [name, type, body, failed, message] of rows) {
    test(name, async () => {
      await using collector = await httpCollector(() => ({ headers: { "content-type": type }, body }));
      await using exporter = exporterTo(protocols["http/protobuf"].url(collector.port));
      const result = await exportSpans(exporter, 2);
      assert.equal(result.failed, failed);
      if (failed === 2) assert.equal(result.reason, "invalid_response");
      if (message) assert.match(result.message ?? "", message);
    });
  }
});
