import type { Tracing as Policy } from "../config/schema.ts";
import { cut } from "./text.ts";
import type { Trace } from "./trace.ts";

type Attribute = Policy["custom_attributes"][number];

/** The first value of a request header, by its name in lower case. */
export type Header = (name: string) => string | undefined;

/** What stands for a value that is not among `allowed_values`. */
const other = "other";

/**
 * The operator's own attributes. What comes from the environment or from the file is settled here, once; what comes from
 * a header is read for each recorded exchange. No value, or an empty one, makes no attribute.
 */
export function customAttributes(
  policy: Policy["custom_attributes"],
  env: Readonly<Record<string, string | undefined>>,
): (at: Trace, header: Header) => void {
  const attributes = policy.map((attribute) => ({
    attribute,
    settled: settle(attribute, attribute.value ?? (attribute.env === undefined ? "" : env[attribute.env])),
  }));
  return (at, headerOf) => {
    if (!at.recording) return;
    for (const { attribute, settled } of attributes) {
      const { key, header, spans } = attribute;
      const value = header === undefined ? settled : settle(attribute, headerOf(header));
      if (value === undefined) continue;
      at.root.setContent(key, value);
      if (spans !== "all") continue;
      at.shared ??= [];
      at.shared.push(key, value);
    }
  };
}

function settle({ allowed_values: allowed, max_length }: Attribute, value = ""): string | undefined {
  if (value === "") return undefined;
  return cut(allowed.length === 0 || allowed.includes(value) ? value : other, max_length);
}
