/** HTTP/2 frames (RFC 9113) and as much of HPACK as a client with one fixed header list needs. */

export const frameType = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;

export const flag = { endStream: 1, ack: 1, endHeaders: 4 } as const;

export const frameHeaderLength = 9;
export const maxFrame = 16_384;
/** The most a window may be: the server then never waits for us. */
export const widestWindow = 2 ** 31 - 1;

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(frameHeaderLength + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, frameHeaderLength);
  return bytes;
}

export function windowUpdate(stream: number, by: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(by);
  return frame(frameType.windowUpdate, 0, stream, payload);
}

/** SETTINGS_INITIAL_WINDOW_SIZE (4) as wide as can be. */
export function settings(): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(4, 0);
  payload.writeUInt32BE(widestWindow, 2);
  return frame(frameType.settings, 0, 0, payload);
}

/**
 * The header block of the first stream, which puts every header into the dynamic table, and that of all later ones, one
 * byte for each header: what Envoy's encoder comes to as well.
 */
export function headerBlocks(headers: readonly (readonly [string, string])[]): {
  first: Buffer;
  later: Buffer;
} {
  const text = (value: string) => {
    const bytes = Buffer.from(value);
    if (bytes.length > 126) throw new Error("a header of the bench is too long");
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  };
  const literal = ([name, value]: readonly [string, string]) =>
    Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);
  const newest = 62;
  return {
    first: Buffer.concat(headers.map(literal)),
    later: Buffer.from(headers.map((_, i) => 0x80 | (newest + headers.length - 1 - i))),
  };
}

/** A gRPC message: not compressed, its length, its bytes. */
export function grpcMessage(bytes: Uint8Array): Buffer {
  const message = Buffer.alloc(5 + bytes.length);
  message.writeUInt32BE(bytes.length, 1);
  message.set(bytes, 5);
  return message;
}
