/** Tokens of a text without [CLS] and [SEP]. All arrays (tokens,). */
export interface Tokenised {
  readonly ids: Int32Array;
  /** Letter case of the token's word, as in case.ts. */
  readonly cases: Uint8Array;
  /** UTF-16 offsets into the text as given; `ends` are exclusive. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

const FIRST = 512;
// A text of unusual length gives its room back after it.
const KEEP = 1 << 16;

/** Tokens in the making; used again from text to text. */
export class TokenList {
  length = 0;
  #ids = new Int32Array(FIRST);
  #cases = new Uint8Array(FIRST);
  #starts = new Int32Array(FIRST);
  #ends = new Int32Array(FIRST);

  push(id: number, letterCase: number, start: number, end: number): void {
    const n = this.length;
    if (n === this.#ids.length) this.#resize(2 * n);
    this.#ids[n] = id;
    this.#cases[n] = letterCase;
    this.#starts[n] = start;
    this.#ends[n] = end;
    this.length = n + 1;
  }

  /** Hands the tokens out and empties the list. */
  take(): Tokenised {
    const n = this.length;
    const out = {
      ids: this.#ids.slice(0, n),
      cases: this.#cases.slice(0, n),
      starts: this.#starts.slice(0, n),
      ends: this.#ends.slice(0, n),
    };
    this.length = 0;
    if (this.#ids.length > KEEP) this.#resize(FIRST);
    return out;
  }

  #resize(size: number): void {
    const n = Math.min(this.length, size);
    const ids = new Int32Array(size);
    const cases = new Uint8Array(size);
    const starts = new Int32Array(size);
    const ends = new Int32Array(size);
    ids.set(this.#ids.subarray(0, n));
    cases.set(this.#cases.subarray(0, n));
    starts.set(this.#starts.subarray(0, n));
    ends.set(this.#ends.subarray(0, n));
    this.#ids = ids;
    this.#cases = cases;
    this.#starts = starts;
    this.#ends = ends;
  }
}
