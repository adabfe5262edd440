import type { Tracing as Policy } from "../config/schema.ts";
import { type Convention, type Row, type Seen, spanName } from "./conventions/convention.ts";
import { openinference } from "./conventions/openinference.ts";
import { openllmetry } from "./conventions/openllmetry.ts";
import type { AttributeValue, Span, Trace } from "./trace.ts";

const tables: Readonly<Record<Policy["provider"], Convention | undefined>> = {
  opentelemetry: undefined,
  openinference,
  openllmetry,
};

const ours = "semantic_router.".length;

/**
 * What adds the names of another convention to a finished trace, out of what its spans say already. Undefined where
 * nothing is to be added.
 */
export function conventions(provider: Policy["provider"]): ((trace: Trace) => void) | undefined {
  const convention = tables[provider];
  if (!convention) return undefined;
  const { kind, kinds, upstreamKinds, rows, content } = convention;
  return ({ root, children }) => {
    set(root, kind, kinds[shortName(root)]);
    if (rows.root.length > 0) add(root, rows.root, attributesOf(root));
    for (const span of children) {
      if (span.kind === "client") {
        const seen = attributesOf(span);
        const operation = seen.get("gen_ai.operation.name") ?? "";
        set(span, kind, upstreamKinds[String(operation)]);
        add(span, rows.upstream, seen);
        for (const [name, text] of content(seen)) span.setContent(name, text);
      } else {
        const name = shortName(span);
        set(span, kind, kinds[name]);
        if (rows.stage.length > 0) add(span, rows.stage, new Map([[spanName, name]]));
      }
    }
  };
}

const shortName = ({ name }: Span): string => name.slice(ours);

function add(span: Span, rows: readonly Row[], seen: Seen): void {
  for (const [name, from] of rows) set(span, name, typeof from === "string" ? seen.get(from) : from(seen));
}

function set(span: Span, name: string, value: AttributeValue | undefined): void {
  if (value !== undefined) span.set(name, value);
}

function attributesOf({ attributes }: Span): Seen {
  const seen = new Map<string, AttributeValue>();
  for (let i = 0; i < attributes.length; i += 2)
    seen.set(attributes[i] as string, attributes[i + 1] as AttributeValue);
  return seen;
}
