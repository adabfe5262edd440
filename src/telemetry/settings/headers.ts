import { exportHeaderFault } from "../../config/header-names.ts";
import type { Tracing } from "../../config/schema.ts";
import { type Choices, Fault, pairsOf } from "./choices.ts";
import { otlp } from "./variables.ts";

export interface ExportHeader {
  /** The value, or the file that holds it. */
  readonly value: string;
  readonly isFile: boolean;
  readonly from: string;
}

/** What goes with every request, by name in lower case. A stronger source wins header by header. */
export function headers(
  { headers: values, header_files }: Pick<Tracing["exporter"], "headers" | "header_files">,
  choices: Choices,
): Map<string, ExportHeader> {
  const found = new Map<string, ExportHeader>();
  for (const [name, value] of Object.entries(values))
    found.set(name.toLowerCase(), { value, isFile: false, from: "file" });
  for (const [name, value] of Object.entries(header_files))
    found.set(name.toLowerCase(), { value, isFile: true, from: "file" });

  for (const variable of otlp("HEADERS").reverse()) {
    for (const pair of pairsOf(choices.text(variable) ?? "")) {
      const fault = pair instanceof Fault ? pair.why : faultOf(...pair);
      if (fault !== undefined) choices.warnings.push(`${variable} ${fault}; it is left out`);
      else if (!(pair instanceof Fault))
        found.set(pair[0].toLowerCase(), { value: pair[1], isFile: false, from: variable });
    }
  }
  return found;
}

/** A name that is none may be a secret in the wrong place, so it is not shown. */
function faultOf(name: string, value: string): string | undefined {
  const fault = exportHeaderFault(name, value);
  if (fault === undefined) return undefined;
  return exportHeaderFault(name) === "is not a header name"
    ? "has an entry whose key is not a header name"
    : `has an entry "${name}" that ${fault}`;
}
