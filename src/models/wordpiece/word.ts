const FIRST = 256;
// A word of unusual length gives its room back after it.
const KEEP = 1 << 16;

/** One word in the making: its normalised units, and for each the piece of the text that it comes from. */
export class Word {
  /** Normalised UTF-16 units; `length` of them count. */
  units = new Uint16Array(FIRST);
  /** UTF-16 offsets of the character that a unit comes from, end exclusive. */
  starts = new Int32Array(FIRST);
  ends = new Int32Array(FIRST);
  length = 0;
  /** Class of its characters, as in characters.ts. */
  kind = 0;
  /** Capitals among its letters A-Z, and whether there are other characters than ASCII. */
  capitals = 0;
  ascii = true;

  push(unit: number, start: number, end: number): void {
    const n = this.length;
    if (n === this.units.length) this.#resize(2 * n);
    this.units[n] = unit;
    this.starts[n] = start;
    this.ends[n] = end;
    this.length = n + 1;
  }

  clear(): void {
    this.length = 0;
    this.capitals = 0;
    this.ascii = true;
    if (this.units.length > KEEP) this.#resize(FIRST);
  }

  #resize(size: number): void {
    const { units, starts, ends, length } = this;
    this.units = new Uint16Array(size);
    this.starts = new Int32Array(size);
    this.ends = new Int32Array(size);
    this.units.set(units.subarray(0, length));
    this.starts.set(starts.subarray(0, length));
    this.ends.set(ends.subarray(0, length));
  }
}
