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
    if (typeof value !== "string") {
      this.raw(value);
      this.#varint(value.length);
    } else if (!this.#short(value)) {
      const length = Buffer.byteLength(value);
      this.#room(length + 16);
      this.#start -= length;
      this.#bytes.write(value, this.#start, "utf8");
      this.#varint(length);
    }
    this.#varint(field * 8 + 2);
  }

  /** Short ASCII text with its length, byte by byte: a call into native code costs more. False: nothing was written. */
  #short(text: string): boolean {
    const { length } = text;
    if (length > shortText) return false;
    this.#room(length + 16);
    const bytes = this.#bytes;
    const start = this.#start - length;
    for (let i = 0; i < length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      bytes[start + i] = code;
    }
    this.#start = start;
    this.#varint(length);
    return true;
  }

  /** A length-delimited field of bytes given as lower-case hex digits. */
  hex(field: number, digits: string): void {
    const length = digits.length >> 1;
    this.#room(length + 16);
    this.#start -= length;
    for (let i = 0; i < length; i += 1) {
      this.#bytes[this.#start + i] =
        nibble(digits.charCodeAt(2 * i)) * 16 + nibble(digits.charCodeAt(2 * i + 1));
    }
    this.#varint(length);
    this.#varint(field * 8 + 2);
  }

  /** A length-delimited field of eight bytes, given as two words of 32 bits, the upper one first. */
  words(field: number, high: number, low: number): void {
    this.#room(16);
    const bytes = this.#bytes;
    this.#start -= 8;
    const at = this.#start;
    bytes[at] = high >>> 24;
    bytes[at + 1] = high >>> 16;
    bytes[at + 2] = high >>> 8;
    bytes[at + 3] = high;
    bytes[at + 4] = low >>> 24;
    bytes[at + 5] = low >>> 16;
    bytes[at + 6] = low >>> 8;
    bytes[at + 7] = low;
    this.#varint(8);
    this.#varint(field * 8 + 2);
  }

  /** Bytes as they are: content, or fields that are encoded already. */
  raw(encoded: Uint8Array): void {
    const { length } = encoded;
    this.#room(length + 16);
    const bytes = this.#bytes;
    const start = this.#start - length;
    if (length > shortText) bytes.set(encoded, start);
    else for (let i = 0; i < length; i += 1) bytes[start + i] = encoded[i]!;
    this.#start = start;
  }

  /** Takes back what was written since the mark. */
  rewind(mark: number): void {
    this.#start = this.#bytes.length - mark;
  }

  /** A copy of what was written since the mark. */
  since(mark: number): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#bytes, this.#start, this.#bytes.length - mark);
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
    if (value <= 0x7f) {
      this.#bytes[--this.#start] = value;
      return;
    }
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

/** Bytes up to which a loop is faster than a call. */
const shortText = 64;

const nibble = (code: number): number => (code <= 57 ? code - 48 : code - 87);
