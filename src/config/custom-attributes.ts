import { recordedHeaderFault } from "./header-names.ts";
import type { Report } from "./problem.ts";
import type { Tracing } from "./schema.ts";

/** First words of the names that spans carry by themselves, by whichever convention; docs/trace.md lists them. */
const taken = new Set(
  (
    "request user http url model routing category cache security pii jailbreak classification classifier reasoning " +
    "endpoint system_prompt gen_ai server network response outcome config processing error llm openinference " +
    "traceloop stage service telemetry deployment envoy input output content"
  ).split(" "),
);

const path = ["observability", "tracing", "custom_attributes"];

/** Attributes of the operator's own: a source each, names that are free, nothing that carries credentials. */
export function checkCustomAttributes({ custom_attributes }: Tracing, report: Report): void {
  const first = new Map<string, number>();
  custom_attributes.forEach((attribute, i) => {
    checkSource(attribute, i, report);
    const { key, header } = attribute;
    const fault = header === undefined ? undefined : recordedHeaderFault(header);
    if (fault !== undefined) report.problem([...path, i, "header"], `${JSON.stringify(header)} ${fault}`);
    if (key === undefined) return;
    const [word = ""] = key.split(".", 1);
    if (taken.has(word)) {
      const message = `"${key}": names that begin with "${word}" are the router's own or a convention's; write "app.${key}", say`;
      report.problem([...path, i, "key"], message);
    }
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, i);
    else
      report.problem(
        [...path, i, "key"],
        `duplicate key "${key}"; custom_attributes[${earlier}] has it already`,
      );
  });
}

function checkSource(attribute: Tracing["custom_attributes"][number], i: number, report: Report): void {
  const given = (["header", "env", "value"] as const).filter((source) => attribute[source] !== undefined);
  if (given.length === 1) return;
  const message = `needs exactly one of header, env and value, not ${given.join(" and ") || "none"}`;
  report.problem([...path, i], message);
}
