/**
 * Bytes gathered from pieces of any size, up to a limit. Copies, so that neither a reused buffer nor a million
 * one-byte pieces cost more than the bytes themselves.
 */
export class Gather {
  readonly #limit: number;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  #over = false;

  /** `limit`: in bytes. One byte more, and everything gathered is let go. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  /** More was added than may be held; `text()` is then empty. */
  get over(): boolean {
    return this.#over;
  }

  /** Adds `source[start, end)`. */
  add(source: Uint8Array, start: number, end: number): void {
    if (this.#over || start >= end) return;
    const length = this.#length + (end - start);
    if (length > this.#limit) {
      this.clear();
      this.#over = true;
      return;
    }
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.min(this.#limit, Math.max(256, length, this.#bytes.length * 2)),
      );
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(source.subarray(start, end), this.#length);
    this.#length = length;
  }

  /** What was gathered, read as UTF-8; broken sequences become U+FFFD. */
  text(): string {
    return this.#bytes.toString("utf8", 0, this.#length);
  }

  /** Starts anew. A small buffer is kept for the next round, a large one is let go. */
  clear(): void {
    this.#length = 0;
    this.#over = false;
    if (this.#bytes.length > 65_536) this.#bytes = Buffer.alloc(0);
  }
}
