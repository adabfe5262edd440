/** Protobuf's wire format, as much of it as ext_proc needs (docs/decisions/0003 has the numbers that justify it). */

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
  private fieldEnd(): number {
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

/** Fields are written as chunks that `message` wraps from the inside out. */
export type Chunk = Buffer;

export function varint(value: number): Chunk {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A varint field: int32, bool or enum. */
export const numberField = (field: number, value: number): Chunk =>
  Buffer.concat([varint(field * 8), varint(value)]);

/** A length-delimited field: bytes, string or embedded message. */
export function lengthField(field: number, ...parts: (Uint8Array | string)[]): Chunk {
  const chunks = parts.map((part) => (typeof part === "string" ? Buffer.from(part, "utf8") : part));
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return Buffer.concat([varint(field * 8 + 2), varint(length), ...chunks]);
}
