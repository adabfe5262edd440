/** Protobuf's wire format, as much of it as ext_proc and OTLP need (docs/decisions/0003 and 0008 have the numbers). */

/** Reads one message. Fields of other numbers are skipped by the caller with `skip`. Throws RangeError when cut short. */
export class Reader {
  readonly bytes: Buffer;
  position: number;
  readonly end: number;

  constructor(bytes: Buffer, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  get more(): boolean {
    return this.position < this.end;
  }

  /** Unsigned, exact up to 2^53; the upper bits of longer ones are lost. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i += 1) {
      if (this.position >= this.end) throw new RangeError("protobuf: message cut short");
      const byte = this.bytes[this.position++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new RangeError("protobuf: varint longer than 10 bytes");
  }

  /** The end of the length-delimited field that starts here; the position is left at its first byte. */
  fieldEnd(): number {
    const length = this.varint();
    const end = this.position + length;
    if (end > this.end) throw new RangeError("protobuf: message cut short");
    return end;
  }

  /** A view, not a copy. */
  bytesField(): Buffer {
    const end = this.fieldEnd();
    const view = this.bytes.subarray(this.position, end);
    this.position = end;
    return view;
  }

  string(): string {
    const end = this.fieldEnd();
    const text = this.bytes.toString("utf8", this.position, end);
    this.position = end;
    return text;
  }

  /** Passes over the field that starts here. Returns where its content starts; it ends at `position`. */
  pass(): number {
    const end = this.fieldEnd();
    const start = this.position;
    this.position = end;
    return start;
  }

  /** A reader over the embedded message. */
  message(): Reader {
    const end = this.fieldEnd();
    const inner = new Reader(this.bytes, this.position, end);
    this.position = end;
    return inner;
  }

  double(): number {
    if (this.position + 8 > this.end) throw new RangeError("protobuf: message cut short");
    this.position += 8;
    return this.bytes.readDoubleLE(this.position - 8);
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint();
    else if (wireType === 2) this.position = this.fieldEnd();
    else if (wireType === 1 || wireType === 5) this.position += wireType === 1 ? 8 : 4;
    else throw new RangeError(`protobuf: wire type ${wireType}`);
    if (this.position > this.end) throw new RangeError("protobuf: message cut short");
  }
}

/**
 * Writes one message from its end to its beginning: the length of what is embedded is known when its header is written,
 * so nothing is measured twice and nothing is copied but once, at the end. Fields come out in the reverse of the order
 * of the calls. One buffer serves all messages, one after another: each is written by one synchronous run of calls.
 */
export class Writer {
  #bytes = Buffer.allocUnsafeSlow(64 * 1024);
  #start = this.#bytes.length;

  /** Starts a message anew: one that failed half-way must not leave its bytes to the next. */
  begin(): void {
    this.#start = this.#bytes.length;
  }

  /** A place to measure an embedded message from. */
  get mark(): number {
    return this.#bytes.length - this.#start;
  }

  /** A length-delimited field: bytes, or text as UTF-8. */
  field(field: number, value: Uint8Array | string): void {
    const length = typeof value === "string" ? Buffer.byteLength(value) : value.length;
    this.#room(length + 16);
    this.#start -= length;
    if (typeof value === "string") this.#bytes.write(value, this.#start, "utf8");
    else this.#bytes.set(value, this.#start);
    this.#varint(length);
    this.#varint(field * 8 + 2);
  }

  /** A length-delimited field of bytes given as hex digits. */
  hex(field: number, digits: string): void {
    const length = digits.length / 2;
    this.#room(length + 16);
    this.#start -= length;
    this.#bytes.write(digits, this.#start, "hex");
    this.#varint(length);
    this.#varint(field * 8 + 2);
  }

  double(field: number, value: number): void {
    this.#room(16);
    this.#start -= 8;
    this.#bytes.writeDoubleLE(value, this.#start);
    this.#varint(field * 8 + 1);
  }

  fixed32(field: number, value: number): void {
    this.#room(16);
    this.#start -= 4;
    this.#bytes.writeUInt32LE(value, this.#start);
    this.#varint(field * 8 + 5);
  }

  /** An unsigned 64-bit number in its two halves: it may be more than a double holds exactly. */
  fixed64(field: number, high: number, low: number): void {
    this.#room(16);
    this.#start -= 8;
    this.#bytes.writeUInt32LE(low, this.#start);
    this.#bytes.writeUInt32LE(high, this.#start + 4);
    this.#varint(field * 8 + 1);
  }

  /** A varint field of a whole number that may be negative: int64. */
  integer(field: number, value: number): void {
    if (value >= 0) {
      this.number(field, value);
      return;
    }
    // Two's complement, always ten bytes; rare enough for BigInt.
    this.#room(16);
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.#start -= bytes.length;
    this.#bytes.set(bytes, this.#start);
    this.#varint(field * 8);
  }

  /** A varint field: int32, bool or enum. */
  number(field: number, value: number): void {
    this.#room(16);
    this.#varint(value);
    this.#varint(field * 8);
  }

  /** Makes all that was written since the mark the embedded message of a field. */
  wrap(field: number, mark: number): void {
    this.#room(16);
    this.#varint(this.mark - mark);
    this.#varint(field * 8 + 2);
  }

  /** The message, in a buffer of its own. */
  finish(): Buffer {
    const message = Buffer.from(this.#bytes.subarray(this.#start));
    this.#start = this.#bytes.length;
    // One large body must not keep its size for good.
    if (this.#bytes.length > 1024 * 1024) this.#grow(64 * 1024);
    return message;
  }

  #varint(value: number): void {
    let size = 1;
    for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size += 1;
    this.#start -= size;
    let at = this.#start;
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.#bytes[at++] = (rest % 128) | 0x80;
    this.#bytes[at] = rest;
  }

  #room(needed: number): void {
    if (this.#start < needed) this.#grow(2 * (this.mark + needed));
  }

  #grow(size: number): void {
    const written = this.#bytes.subarray(this.#start);
    const larger = Buffer.allocUnsafeSlow(size);
    larger.set(written, size - written.length);
    this.#bytes = larger;
    this.#start = size - written.length;
  }
}
