type Plain = Record<string, unknown>;
export type Pair = readonly [name: string, value: string];

interface Mutation {
  readonly set_headers?: readonly {
    readonly header: { readonly key: string; readonly raw_value: Buffer };
    readonly append?: { readonly value?: boolean } | null;
    readonly append_action?: string;
  }[];
  readonly remove_headers?: readonly string[];
}

/** A request's headers after the processor's answers, as Envoy applies them: removals first, then what is set. */
export function mutated(headers: readonly Pair[], answers: readonly Plain[]): Pair[] {
  let now = [...headers];
  for (const answer of answers) {
    if (answer.response !== "request_headers" && answer.response !== "request_body") continue;
    const { response } = answer[answer.response] as {
      response?: { header_mutation?: Mutation | null } | null;
    };
    const { remove_headers = [], set_headers = [] } = response?.header_mutation ?? {};
    now = now.filter(([name]) => !remove_headers.includes(name));
    for (const { header, append } of set_headers) {
      // Envoy heeds this field only, and without it overwrites.
      if (append?.value !== true) now = now.filter(([name]) => name !== header.key);
      now.push([header.key, header.raw_value.toString()]);
    }
  }
  return now;
}

export const valuesOf = (headers: readonly Pair[], name: string): string[] =>
  headers.filter(([header]) => header.toLowerCase() === name).map(([, value]) => value);
