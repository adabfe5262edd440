import type { AttributeValue } from "../trace.ts";

/** A span's attributes by name; of one that was set twice the last value. */
export type Seen = ReadonlyMap<string, AttributeValue>;

/** An attribute to add: its name, and the one whose value it takes, or how the value is made. */
export type Row = readonly [
  name: string,
  from: string | ((seen: Seen) => string | number | boolean | undefined),
];

/** Attributes whose names are made as well, such as those of a list: pairs of name and text. */
export type Many = (seen: Seen) => readonly (readonly [name: string, text: string])[];

/** What another convention would have the spans say. Spans go by their names without `semantic_router.`. */
export interface Convention {
  /** The attribute for the kind of a span, and the kinds. */
  readonly kind: string;
  readonly kinds: Readonly<Record<string, string>>;
  /** The kind of the upstream span, by `gen_ai.operation.name`; "" where there is none. Left out: no kind. */
  readonly upstreamKinds: Readonly<Record<string, string>>;
  readonly rows: {
    readonly root: readonly Row[];
    readonly stage: readonly Row[];
    readonly upstream: readonly Row[];
  };
  /** What the upstream span says more where it holds content. */
  readonly content: Many;
}

/** The attribute that rows of `root` and `stage` find the span's own name under. */
export const spanName = "name";

export const numberIn = (seen: Seen, name: string): number | undefined => {
  const value = seen.get(name);
  return typeof value === "number" ? value : undefined;
};

export const textIn = (seen: Seen, name: string): string | undefined => {
  const value = seen.get(name);
  return typeof value === "string" ? value : undefined;
};

/** Only where both parts are known and counted, not estimated. */
export function totalTokens(seen: Seen): number | undefined {
  const input = numberIn(seen, "gen_ai.usage.input_tokens");
  const output = numberIn(seen, "gen_ai.usage.output_tokens");
  const estimated = seen.get("gen_ai.usage.estimated") === true;
  return input === undefined || output === undefined || estimated ? undefined : input + output;
}

export interface Message {
  readonly role: string;
  readonly text: string;
  readonly finishReason: string | undefined;
}

/** The messages that `name` holds as JSON, the texts of one joined. None where there are none. */
export function messagesIn(seen: Seen, name: string): readonly Message[] {
  const json = textIn(seen, name);
  if (json === undefined) return [];
  // Our own, so it can be taken at its word.
  const messages = JSON.parse(json) as readonly {
    readonly role: string;
    readonly parts: readonly { readonly type: string; readonly content: string }[];
    readonly finish_reason?: string;
  }[];
  return messages.map(({ role, parts, finish_reason }) => ({
    role,
    text: parts
      .filter(({ type }) => type === "text")
      .map(({ content }) => content)
      .join("\n"),
    finishReason: finish_reason,
  }));
}
