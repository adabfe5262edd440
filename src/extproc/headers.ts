/** Every header name that is read or written, in one place. */
export const names = {
  method: ":method",
  path: ":path",
  status: ":status",
  contentEncoding: "content-encoding",
  contentLength: "content-length",
  contentType: "content-type",
  requestId: "x-request-id",
  retryAfter: "retry-after",
  traceparent: "traceparent",
  tracestate: "tracestate",
  upgrade: "upgrade",
  /** Where clients carry their keys; only a keyed hash of their values is ever kept. */
  credentials: ["authorization", "x-api-key", "api-key"],
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

/**
 * Headers of one direction, in wire order, names in lower case as Envoy sends them. They stay bytes until asked for: of
 * some twenty headers a request has, the router reads half a dozen.
 */
export class Headers {
  readonly #bytes: Buffer;
  /** Start and end of name and value, four numbers a header. */
  readonly #places: readonly number[];

  constructor(bytes: Buffer, places: readonly number[]) {
    this.#bytes = bytes;
    this.#places = places;
  }

  /** The first value. */
  get(name: string): string | undefined {
    for (let i = 0; i < this.#places.length; i += 4) if (this.#isNamed(i, name)) return this.#text(i + 2);
    return undefined;
  }

  /** All values, in order. */
  all(name: string): string[] {
    const values: string[] = [];
    for (let i = 0; i < this.#places.length; i += 4)
      if (this.#isNamed(i, name)) values.push(this.#text(i + 2));
    return values;
  }

  /** Names that only the router may set, in whatever number and spelling they came. */
  reserved(): string[] {
    let found: string[] | undefined;
    for (let i = 0; i < this.#places.length; i += 4) {
      const first = this.#bytes[this.#places[i]!];
      if (first !== lowerX && first !== upperX) continue;
      const name = this.#text(i);
      if (!isReserved(name.toLowerCase()) || found?.includes(name)) continue;
      found ??= [];
      found.push(name);
    }
    return found ?? [];
  }

  #isNamed(i: number, name: string): boolean {
    const start = this.#places[i]!;
    if (this.#places[i + 1]! - start !== name.length) return false;
    for (let at = name.length - 1; at >= 0; at -= 1) {
      if (this.#bytes[start + at] !== name.charCodeAt(at)) return false;
    }
    return true;
  }

  #text(i: number): string {
    return this.#bytes.toString("utf8", this.#places[i], this.#places[i + 1]);
  }
}

export const noHeaders = new Headers(Buffer.alloc(0), []);

const lowerX = 120;
const upperX = 88;
const isReserved = (name: string) => name.startsWith("x-vsr-") || name === names.selectedModel;
