import { type AttributeValue, Span, type SpanKind, Trace } from "../../telemetry/trace.ts";

// In traces texts and lists are cut, so that no prompt gets into one. Here they are the answer.
class WholeSpan extends Span {
  override set(key: string, value: AttributeValue | undefined): this {
    if (value !== undefined) this.attributes.push(key, value);
    return this;
  }
}

/** A trace of one exchange that goes nowhere: always recorded, and nothing in it is cut. */
export class WholeTrace extends Trace {
  constructor() {
    super("explained", { traceId: "0".repeat(31).concat("1"), flags: 1, state: "", propagates: true });
  }

  override open(name: string, kind: SpanKind = "internal"): Span {
    const span = new WholeSpan(name, kind, true, Number.POSITIVE_INFINITY);
    this.children.push(span);
    return span;
  }
}

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** A span as it is read: of two values under one key, the last. */
export interface Stage {
  readonly attributes: Attributes;
  /** Why it failed. */
  readonly error: string | undefined;
}

/** The stages that ran, by the name of their span without what all of them begin with. */
export function stagesOf({ children }: Trace): ReadonlyMap<string, Stage> {
  return new Map(
    children.map(({ name, attributes, error }) => [
      name.slice(name.indexOf(".") + 1),
      { attributes: asRecord(attributes), error },
    ]),
  );
}

function asRecord(pairs: readonly (string | AttributeValue)[]): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  for (let i = 0; i < pairs.length; i += 2) attributes[pairs[i] as string] = pairs[i + 1]!;
  return attributes;
}
