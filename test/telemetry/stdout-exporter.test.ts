import assert from "node:assert/strict";
import { PassThrough, Writable } from "node:stream";
import { describe, test } from "node:test";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { type ExportResult, TraceState } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { guideForm, stdoutExporter } from "../../src/telemetry/stdout-exporter.ts";

const context = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 3 };
const root: ReadableSpan = {
  name: "semantic_router.test",
  kind: SpanKind.SERVER,
  spanContext: () => context,
  startTime: [1_700_000_000, 1_000_042],
  endTime: [1_700_000_001, 501_000_042],
  duration: [1, 500_000_000],
  status: { code: SpanStatusCode.UNSET },
  attributes: { "model.name": "m", "cache.hit": false, "pii.types": ["GPE", "AGE"], n: 3, "time.ms": 0.5 },
  links: [],
  events: [],
  ended: true,
  resource: resourceFromAttributes({ "service.name": "vllm-semantic-router" }),
  instrumentationScope: { name: "semantic-router", version: "0.1.0" },
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
  droppedLinksCount: 0,
};
const child: ReadableSpan = {
  ...root,
  kind: SpanKind.CLIENT,
  parentSpanContext: {
    ...context,
    spanId: "c".repeat(16),
    traceFlags: 1,
    traceState: new TraceState("k=1,l=2"),
  },
  links: [{ context: { traceId: "d".repeat(32), spanId: "e".repeat(16), traceFlags: 0 } }],
  status: { code: SpanStatusCode.ERROR, message: "HTTP 503" },
};

async function exported(spans: ReadableSpan[], isTTY = false): Promise<string> {
  const out = Object.assign(new PassThrough(), { isTTY });
  const result = await new Promise<ExportResult>((resolve) => stdoutExporter(out).export(spans, resolve));
  assert.deepEqual(result, { code: 0 });
  return String(out.read());
}

const golden = `{
	"Name": "semantic_router.test",
	"SpanContext": {
		"TraceID": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"SpanID": "bbbbbbbbbbbbbbbb",
		"TraceFlags": "03",
		"TraceState": ""
	},
	"Parent": {
		"TraceID": "00000000000000000000000000000000",
		"SpanID": "0000000000000000",
		"TraceFlags": "00",
		"TraceState": ""
	},
	"SpanKind": 2,
	"StartTime": "2023-11-14T22:13:20.001000042Z",
	"EndTime": "2023-11-14T22:13:21.501000042Z",
	"Duration": 1500000000,
	"Attributes": [
		{
			"Key": "model.name",
			"Value": "m"
		},
		{
			"Key": "cache.hit",
			"Value": false
		},
		{
			"Key": "pii.types",
			"Value": [
				"GPE",
				"AGE"
			]
		},
		{
			"Key": "n",
			"Value": 3
		},
		{
			"Key": "time.ms",
			"Value": 0.5
		}
	],
	"Events": null,
	"Links": null,
	"Status": {
		"Code": "Unset",
		"Description": ""
	},
	"Resource": [
		{
			"Key": "service.name",
			"Value": "vllm-semantic-router"
		}
	],
	"InstrumentationScope": {
		"Name": "semantic-router",
		"Version": "0.1.0"
	}
}
`;

test("on a terminal: the tracing guide's form, indented with tabs", async () => {
  assert.equal(await exported([root], true), golden);
});

test("elsewhere: the same on one line each", async () => {
  const line = `${JSON.stringify(JSON.parse(golden))}\n`;
  assert.equal(await exported([root, root]), line + line);
});

test("a child names its parent; link, failure and trace state are there", () => {
  const { Parent, SpanKind: kind, Links, Status } = guideForm(child);
  assert.deepEqual(Parent, {
    TraceID: "a".repeat(32),
    SpanID: "c".repeat(16),
    TraceFlags: "01",
    TraceState: "k=1,l=2",
  });
  assert.equal(kind, 3);
  assert.deepEqual(Links, [
    { SpanContext: { TraceID: "d".repeat(32), SpanID: "e".repeat(16), TraceFlags: "00", TraceState: "" } },
  ]);
  assert.deepEqual(Status, { Code: "Error", Description: "HTTP 503" });
});

describe("numbers as Go writes them", () => {
  test("kinds", () => {
    const kinds = [SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER];
    assert.deepEqual(
      kinds.map((kind) => guideForm({ ...root, kind }).SpanKind),
      [1, 2, 3, 4, 5],
    );
  });

  test("durations are whole nanoseconds, times have nine digits", () => {
    const span = { ...root, duration: [0, 7] as [number, number], startTime: [0, 0] as [number, number] };
    const { Duration, StartTime } = guideForm(span);
    assert.equal(Duration, 7);
    assert.equal(StartTime, "1970-01-01T00:00:00.000000000Z");
  });
});

test("a reader that has gone is a failed export, not the end of the process", async () => {
  const closed = new Writable({ write: (_chunk, _encoding, done) => done(new Error("EPIPE")) });
  const exporter = stdoutExporter(closed);
  const results = [];
  for (let i = 0; i < 2; i++) {
    const result = await new Promise<ExportResult>((resolve) => exporter.export([root], resolve));
    results.push(result.code);
    await new Promise(setImmediate);
  }
  assert.deepEqual(results, [1, 1]);
  await exporter.shutdown();
});
