/** Every header name that is read or written, in one place. */
export const names = {
  authority: ":authority",
  method: ":method",
  path: ":path",
  status: ":status",
  accept: "accept",
  contentEncoding: "content-encoding",
  contentLength: "content-length",
  contentType: "content-type",
  requestId: "x-request-id",
  retryAfter: "retry-after",
  traceparent: "traceparent",
  tracestate: "tracestate",
  upgrade: "upgrade",
  destinationEndpoint: "x-vsr-destination-endpoint",
  selectedModel: "x-selected-model",
  selectedCategory: "x-vsr-selected-category",
  selectedReasoning: "x-vsr-selected-reasoning",
  vsrSelectedModel: "x-vsr-selected-model",
  injectedSystemPrompt: "x-vsr-injected-system-prompt",
  cacheHit: "x-vsr-cache-hit",
  piiViolation: "x-vsr-pii-violation",
  jailbreakBlocked: "x-vsr-jailbreak-blocked",
  jailbreakType: "x-vsr-jailbreak-type",
  jailbreakConfidence: "x-vsr-jailbreak-confidence",
} as const;

/** Headers of one direction, in wire order, names in lower case as Envoy sends them. */
export class Headers {
  readonly #pairs: readonly (readonly [string, string])[];

  constructor(pairs: readonly (readonly [string, string])[]) {
    this.#pairs = pairs;
  }

  /** The first value. */
  get(name: string): string | undefined {
    for (const [key, value] of this.#pairs) if (key === name) return value;
    return undefined;
  }

  /** All values, in order. */
  all(name: string): string[] {
    const values: string[] = [];
    for (const [key, value] of this.#pairs) if (key === name) values.push(value);
    return values;
  }

  /** Names that only the router may set, in whatever number and spelling they came. */
  reserved(): string[] {
    return [...new Set(this.#pairs.filter(([key]) => isReserved(key)).map(([key]) => key))];
  }
}

function isReserved(name: string): boolean {
  if (name.charCodeAt(0) !== 120 && name.charCodeAt(0) !== 88) return false;
  const lower = name.toLowerCase();
  return lower.startsWith("x-vsr-") || lower === names.selectedModel;
}
