import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Encoded, encodePieces } from "../../../src/telemetry/otlp/pieces.ts";
import { randomHex, Trace } from "../../../src/telemetry/trace.ts";
import type { Exported } from "../../../src/telemetry/trace-exporter.ts";
import { exporterTo, grpcCollector, origin, traceOf } from "./collectors.ts";

const mebibyte = 1024 * 1024;
const identity = () => ({ traceId: randomHex(16), flags: 1, state: "", propagates: true });

/** One exchange of two spans whose attributes take so many bytes. */
function large(size: number): Trace {
  const trace = new Trace("root", identity(), size);
  trace.open("stage").set("text", "x".repeat(size)).end();
  trace.root.end();
  return trace;
}

describe("pieces", () => {
  const spansOf = (traces: readonly Trace[]) => encodePieces(traces, origin).map(({ spans }) => spans);

  test("what is small stays together", () => {
    assert.deepEqual(spansOf(Array.from({ length: 32 }, () => traceOf(9))), [288]);
  });

  test("exchanges that together are more than 1 MiB are parted, in their order, until they are not", () => {
    const traces = [0.1, 0.1, 0.1, 0.1, 0.6, 0.6, 1.5, 0.1].map((size) => large(size * mebibyte));
    const pieces = encodePieces(traces, origin) as Encoded[];
    assert.deepEqual(
      pieces.map(({ spans, bytes }) => [spans, Math.round((bytes.length / mebibyte) * 10) / 10]),
      [
        [8, 0.4],
        [2, 0.6],
        [2, 0.6],
        [2, 1.5],
        [2, 0.1],
      ],
    );
  });

  test("one exchange is not parted; above 4 MiB no collector takes it", () => {
    assert.ok("bytes" in encodePieces([large(3.9 * mebibyte)], origin)[0]!);
    const [refused] = encodePieces([large(4 * mebibyte)], origin);
    assert.ok(refused && "message" in refused);
    assert.match(refused.message, /^the spans of one exchange are 4\.0 MiB, of which collectors take 4: /);
  });
});

describe("a batch of exchanges that is parted", () => {
  const result = async (port: number, traces: readonly Trace[]) => {
    await using exporter = exporterTo(`http://127.0.0.1:${port}`);
    const told: Exported[] = [];
    let held = 0;
    await new Promise<void>((resolve) => {
      held = exporter.export(traces, (one) => {
        told.push(one);
        resolve();
      });
    });
    await exporter.shutdown(1000);
    assert.equal(told.length, 1);
    return { told: told[0]!, held };
  };

  test("arrives whole at a collector that takes 4 MiB, and is told of once", async () => {
    await using collector = await grpcCollector();
    const traces = Array.from({ length: 32 }, () => large(0.3 * mebibyte));
    const { told, held } = await result(collector.port, traces);
    assert.deepEqual(told, { exported: 64, failed: 0 });
    assert.ok(held > 32 * 0.3 * mebibyte);
    assert.ok(Math.max(...collector.seen.map(({ bytes }) => bytes)) < 4 * mebibyte);
  });

  test("loses the exchange that is too large, and no other", async () => {
    await using collector = await grpcCollector();
    const { told } = await result(collector.port, [traceOf(9), large(5 * mebibyte), traceOf(4)]);
    assert.deepEqual([told.exported, told.failed, told.reason], [13, 2, "too_large"]);
    assert.match(told.message ?? "", /5\.0 MiB/);
  });

  test("of several reasons, the one that most spans were lost for counts, and all messages are there", async () => {
    await using collector = await grpcCollector(() => ({ code: 16, text: "no key" }));
    const { told } = await result(collector.port, [traceOf(9), large(5 * mebibyte)]);
    assert.deepEqual([told.exported, told.failed, told.reason], [0, 11, "refused"]);
    assert.match(told.message ?? "", /5\.0 MiB.*; .*16 UNAUTHENTICATED: no key$/);
  });
});
