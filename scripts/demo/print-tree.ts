import type { ReceivedSpan } from "./otlp-wire.ts";

export type Paint = (style: "dim" | "bold" | "red" | "green" | "yellow" | "cyan", text: string) => string;

/** The attributes worth a reader's first look, in this order; a pair is shown as one: `category.name 0.93`. */
const SHOWN: readonly (readonly [name: string, beside?: string])[] = [
  ["outcome"],
  ["http.response.status_code"],
  ["category.name", "category.confidence"],
  ["pii.detected"],
  ["pii.types"],
  ["jailbreak.detected"],
  ["jailbreak.type", "jailbreak.confidence"],
  ["cache.hit", "cache.similarity"],
  ["security.action"],
  ["routing.strategy"],
  ["routing.selected_model"],
  ["reasoning.enabled"],
  ["endpoint.name"],
  ["system_prompt.injected"],
  ["gen_ai.usage.input_tokens"],
  ["gen_ai.usage.output_tokens"],
  ["gen_ai.request.id"],
  ["gen_ai.usage.prompt_tokens"],
  ["gen_ai.usage.completion_tokens"],
  ["error.type"],
];

/** On these spans a name says no more than another span of the tree already does. */
const HIDDEN: Readonly<Record<string, readonly string[]>> = {
  "semantic_router.cache.lookup": ["category.name"],
  "semantic_router.routing.decision": ["category.name"],
  "semantic_router.system_prompt.injection": ["category.name"],
  "semantic_router.upstream.request": ["endpoint.name"],
};

const plain: Paint = (_, text) => text;

/**
 * One trace as an indented tree: children under their parent by start time, durations in milliseconds, aligned. Spans
 * whose parent is not among them stand at the left edge, so a broken trace is seen to be broken. Where several services
 * took part, each is named where the trace enters it.
 */
export function printTree(spans: readonly ReceivedSpan[], paint: Paint = plain): string {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const several = new Set(spans.map(service)).size > 1;
  const rows: { span: ReceivedSpan; label: string }[] = [];
  const add = (span: ReceivedSpan, before: string, branch: string, indent: string, above?: string): void => {
    const entered = several && service(span) !== above ? ` [${service(span)}]` : "";
    rows.push({ span, label: `${before}${branch}${span.name}${entered}` });
    const children = byStart(spans.filter(({ parentSpanId }) => parentSpanId === span.spanId));
    children.forEach((child, index) => {
      const last = index === children.length - 1;
      add(child, before + indent, last ? "└─ " : "├─ ", last ? "   " : "│  ", service(span));
    });
  };
  for (const root of byStart(spans.filter(({ parentSpanId }) => !ids.has(parentSpanId))))
    add(root, "", "", "");

  const width = Math.max(0, ...rows.map(({ label }) => label.length));
  const times = rows.map(({ span }) => milliseconds(span));
  const timeWidth = Math.max(0, ...times.map((time) => time.length));
  return rows
    .map(({ span, label }, index) => {
      const failed = span.status.code === "ERROR";
      const name = failed ? paint("red", label.padEnd(width)) : label.padEnd(width);
      const time = paint("bold", (times[index] ?? "").padStart(timeWidth));
      const error = failed ? ` ${paint("red", `ERROR ${span.status.message}`.trimEnd())}` : "";
      return `${name}  ${time} ms  ${paint("dim", notes(span))}${error}`.trimEnd();
    })
    .join("\n");
}

/** The key attributes of a span in one line. */
export function notes(span: ReceivedSpan): string {
  return SHOWN.filter(([name]) => !HIDDEN[span.name]?.includes(name))
    .flatMap(([name, beside]) => {
      const value = span.attributes[name];
      if (value === undefined || value === "" || (Array.isArray(value) && value.length === 0)) return [];
      const number = beside === undefined ? undefined : span.attributes[beside];
      return `${name}=${format(value)}${typeof number === "number" ? ` ${number.toFixed(2)}` : ""}`;
    })
    .join("  ");
}

const service = ({ resource }: ReceivedSpan): string => String(resource["service.name"] ?? "unknown");

const format = (value: unknown): string => (Array.isArray(value) ? value.join(",") : String(value));

const milliseconds = ({ startNs, endNs }: ReceivedSpan): string => (Number(endNs - startNs) / 1e6).toFixed(2);

function byStart(spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  return spans.toSorted((a, b) => (a.startNs < b.startNs ? -1 : a.startNs > b.startNs ? 1 : 0));
}
