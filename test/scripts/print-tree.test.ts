import assert from "node:assert/strict";
import test from "node:test";
import type { ReceivedSpan } from "../../scripts/demo/otlp-wire.ts";
import { printTree } from "../../scripts/demo/print-tree.ts";

function span(
  id: string,
  parent: string,
  name: string,
  from: number,
  to: number,
  more: Partial<ReceivedSpan> = {},
): ReceivedSpan {
  return {
    traceId: "t",
    spanId: id,
    parentSpanId: parent,
    name,
    kind: "INTERNAL",
    startNs: BigInt(from) * 1_000n,
    endNs: BigInt(to) * 1_000n,
    attributes: {},
    status: { code: "UNSET", message: "" },
    links: [],
    events: [],
    resource: {},
    scope: { name: "", version: "" },
    traceState: "",
    flags: 1,
    ...more,
  };
}

const lines = (...all: string[]): string => all.join("\n");

test("children stand under their parent by start time, durations aligned", () => {
  const spans = [
    span("c", "a", "upstream.request", 900, 12_000, { attributes: { "endpoint.name": "math" } }),
    span("b", "a", "classification", 100, 400, {
      attributes: { "category.name": "math", "category.confidence": 0.934 },
    }),
    span("d", "b", "inner", 150, 160),
    span("a", "client", "request.received", 0, 12_345),
  ];
  assert.equal(
    printTree(spans),
    lines(
      "request.received     12.35 ms",
      "├─ classification     0.30 ms  category.name=math 0.93",
      "│  └─ inner           0.01 ms",
      "└─ upstream.request  11.10 ms  endpoint.name=math",
    ),
  );
});

test("each service is named where the trace enters it, when there are several", () => {
  const of = (name: string) => ({ resource: { "service.name": name } });
  const spans = [
    span("a", "", "client-span", 0, 3_000, of("client")),
    span("b", "a", "root", 100, 2_900, of("router")),
    span("c", "b", "upstream", 200, 2_800, of("router")),
    span("d", "c", "llm_request", 300, 2_700, of("vllm")),
  ];
  assert.equal(
    printTree(spans),
    lines(
      "client-span [client]         3.00 ms",
      "└─ root [router]             2.80 ms",
      "   └─ upstream               2.60 ms",
      "      └─ llm_request [vllm]  2.40 ms",
    ),
  );
});

test("a span without its parent stands at the left edge", () => {
  const spans = [span("a", "", "root", 0, 1_000), span("x", "lost", "orphan", 5, 1_005)];
  assert.equal(printTree(spans), lines("root    1.00 ms", "orphan  1.00 ms"));
});

test("errors, lists and empty values", () => {
  const spans = [
    span("a", "", "root", 0, 1_000, {
      attributes: {
        "pii.types": ["EMAIL_ADDRESS", "PERSON"],
        "jailbreak.type": "",
        "http.path": "/not/shown",
      },
      status: { code: "ERROR", message: "no answer" },
    }),
  ];
  assert.equal(printTree(spans), "root  1.00 ms  pii.types=EMAIL_ADDRESS,PERSON ERROR no answer");
});

test("colour wraps the words and leaves the columns alone", () => {
  const spans = [span("a", "", "root", 0, 1_000)];
  assert.equal(
    printTree(spans, (style, text) => (style === "bold" ? `<${text}>` : text)),
    "root  <1.00> ms",
  );
});

test("no spans, no lines", () => assert.equal(printTree([]), ""));
