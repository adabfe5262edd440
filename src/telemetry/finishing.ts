import type { Tracing as Policy } from "../config/schema.ts";
import { conventions } from "./conventions.ts";
import type { Trace } from "./trace.ts";

/**
 * The last changes to a finished exchange before it is exported: the attributes that all spans share, and the names of
 * another convention. Undefined where there are none. Never throws.
 */
export function finishing({
  provider,
  custom_attributes,
}: Pick<Policy, "provider" | "custom_attributes">): ((trace: Trace) => void) | undefined {
  const dress = conventions(provider);
  const shares = custom_attributes.some(({ spans }) => spans === "all");
  if (!dress && !shares) return undefined;
  return (trace) => {
    if (trace.shared) for (const span of trace.children) span.attributes.push(...trace.shared);
    dress?.(trace);
  };
}
