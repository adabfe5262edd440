import assert from "node:assert/strict";
import { PassThrough, Writable } from "node:stream";
import { describe, test } from "node:test";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { TraceState } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { guideForm, stdoutExporter } from "../../src/telemetry/stdout-exporter.ts";
import { Trace } from "../../src/telemetry/trace.ts";
import type { Exported, TraceExporter } from "../../src/telemetry/trace-exporter.ts";

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

const origin = {
  resource: { "service.name": "vllm-semantic-router" },
  scope: { name: "semantic-router", version: "0.1.0" },
};

/** An exchange of so many spans. */
function traceOf(spans = 1): Trace {
  const trace = new Trace("semantic_router.test", {
    traceId: "a".repeat(32),
    flags: 3,
    state: "",
    propagates: true,
  });
  for (let i = 1; i < spans; i += 1) trace.open(`stage ${i}`).end();
  trace.root.end();
  return trace;
}

const exportTo = (exporter: TraceExporter, spans = 1): Promise<Exported> =>
  new Promise((resolve) => exporter.export([traceOf(spans)], resolve));

async function written(traces: readonly Trace[], isTTY = false): Promise<string> {
  const out = Object.assign(new PassThrough(), { isTTY });
  const exporter = stdoutExporter(origin, out);
  const result = await new Promise<Exported>((resolve) => exporter.export(traces, resolve));
  assert.deepEqual(result, { exported: traces.length, failed: 0 });
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

test("the tracing guide's form, indented with tabs", () => {
  assert.equal(`${JSON.stringify(guideForm(root), null, "\t")}\n`, golden);
});

test("indented on a terminal, a line for each span elsewhere", async () => {
  const [first, second] = [traceOf(), traceOf()];
  const lines = await written([first, second]);
  assert.match(lines, /^\{[^\n]*\}\n\{[^\n]*\}\n$/);
  assert.deepEqual(
    lines
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).SpanContext.SpanID),
    [first.root.spanId, second.root.spanId],
  );
  const objects = lines
    .trim()
    .split("\n")
    .map((line) => `${JSON.stringify(JSON.parse(line), null, "\t")}\n`);
  assert.equal(await written([first, second], true), objects.join(""));
});

test("resource and scope are those of the origin", async () => {
  const { Resource, InstrumentationScope } = JSON.parse(await written([traceOf()]));
  assert.deepEqual(Resource, [{ Key: "service.name", Value: "vllm-semantic-router" }]);
  assert.deepEqual(InstrumentationScope, { Name: "semantic-router", Version: "0.1.0" });
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

/** A stream whose reader takes one write, and the next one when told. */
function slowReader() {
  const taken: (() => void)[] = [];
  const out = new Writable({ write: (_chunk, _encoding, done) => taken.push(done) });
  return { out, taken };
}

describe("a reader that is slow", () => {
  test("what it has not taken yet counts as held", async () => {
    const { out } = slowReader();
    const exporter = stdoutExporter(origin, out);
    let done = 0;
    const bytes = exporter.export([traceOf(3)], () => {
      done += 1;
    });
    await new Promise(setImmediate);
    assert.equal(bytes, out.writableLength);
    assert.ok(bytes > 1000);
    assert.equal(done, 0);
  });

  test("is waited for at the end", async () => {
    const { out, taken } = slowReader();
    const exporter = stdoutExporter(origin, out);
    const results = Promise.all([exportTo(exporter), exportTo(exporter)]);
    let over = false;
    const end = exporter.shutdown(60_000).then(() => {
      over = true;
    });
    for (let i = 0; i < 2; i += 1) {
      await new Promise(setImmediate);
      assert.equal(over, false);
      taken[i]!();
    }
    await end;
    assert.deepEqual(
      (await results).map(({ exported }) => exported),
      [1, 1],
    );
  });

  test("but not past the deadline", async () => {
    const exporter = stdoutExporter(origin, slowReader().out);
    const result = exportTo(exporter, 3);
    await exporter.shutdown(20);
    const message = "standard output: not read before the end (20 ms)";
    assert.deepEqual(await result, { exported: 0, failed: 3, reason: "shutdown", message });
  });
});

test("with nothing to write the end is at once", () =>
  stdoutExporter(origin, new PassThrough()).shutdown(60_000));

const faults: readonly [string, string][] = [
  ["EPIPE", "closed"],
  ["ERR_STREAM_DESTROYED", "closed"],
  ["ENOSPC", "write_failed"],
];
for (const [code, reason] of faults) {
  test(`${code} is a failed export, not the end of the process: ${reason}`, async () => {
    const error = Object.assign(new Error(`write ${code}`), { code });
    const exporter = stdoutExporter(
      origin,
      new Writable({ write: (_chunk, _encoding, done) => done(error) }),
    );
    assert.deepEqual(await exportTo(exporter, 2), {
      exported: 0,
      failed: 2,
      reason,
      message: `standard output: write ${code}`,
    });
    await new Promise(setImmediate);
    assert.equal((await exportTo(exporter)).failed, 1);
    await exporter.shutdown(60_000);
  });
}

test("many exporters, as reloads make them, listen to the stream once", () => {
  const out = new PassThrough();
  for (let i = 0; i < 30; i += 1) stdoutExporter(origin, out);
  assert.equal(out.listenerCount("error"), 1);
});
