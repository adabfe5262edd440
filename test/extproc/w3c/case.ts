/** The ids that the cases send; a player may replace them, in all headers alike, to tell the cases apart. */
export const traceId = "0af7651916cd43dd8448eb211c80319c";
export const parentId = "b7ad6b7169203331";
export const good = `00-${traceId}-${parentId}-01`;

/** A request's trace headers as a client sends them, and what upstream gets. Spelled for an `always_on`, parent-based router. */
export interface W3cCase {
  readonly name: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Flags of the outgoing traceparent, whose trace id is the incoming one; `new`: another trace id, flags 03. */
  readonly flags: "00" | "01" | "02" | "03" | "new";
  /** `none`: upstream gets no such header. */
  readonly tracestate: string;
  /** The test of the W3C suite that asks for it, without its `test_`. */
  readonly suite?: string;
  /** Why no HTTP client can send it; then it is played without Envoy only. */
  readonly unsendable?: string;
}

type Expected = Pick<W3cCase, "flags" | "tracestate">;

export const named = (
  name: string,
  headers: W3cCase["headers"],
  expected: Expected,
  suite?: string,
): W3cCase => ({
  name,
  headers,
  ...expected,
  ...(suite && { suite }),
});
