import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  flag,
  frame,
  frameHeaderLength,
  frameType,
  headerBlocks,
  maxFrame,
  settings,
  widestWindow,
  windowUpdate,
} from "./h2-frames.ts";

/** Metadata as Envoy's gRPC client sends it. */
const metadata = [
  [":method", "POST"],
  [":path", "/envoy.service.ext_proc.v3.ExternalProcessor/Process"],
  [":authority", "processor"],
  [":scheme", "http"],
  ["te", "trailers"],
  ["content-type", "application/grpc"],
  ["x-envoy-internal", "true"],
  ["x-forwarded-for", "127.0.0.1"],
] as const;

export interface Stream {
  readonly script: Script;
  readonly startedMs: number;
  /** Messages sent, and answers that came back whole. */
  sent: number;
  answered: number;
  /** Bytes of the answer under way that are still to come, and what of its 5 bytes of length is known. */
  missing: number;
  prefix: number[];
  answer: Buffer[];
}

/** One exchange: what is sent, and who is told how it went. */
export interface Script {
  readonly messages: readonly Buffer[];
  done(stream: Stream, ok: boolean): void;
  answered?: (bytes: Buffer) => void;
}

/**
 * ext_proc over hand-made HTTP/2 on a socket: many streams on one connection, each message sent when the one before it is
 * answered. grpc-js and node:http2 cost as much as the server they would measure.
 */
export class ExtProcClient {
  readonly #socket: Socket;
  readonly #blocks = headerBlocks(metadata);
  readonly #streams = new Map<number, Stream>();
  readonly #out: Buffer[] = [];
  readonly #blocked: Buffer[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #nextStream = 1;
  #window = 65_535;
  #consumed = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.#receive(bytes));
    socket.on("error", () => this.#lose());
    socket.on("close", () => this.#lose());
    this.#out.push(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings());
    this.#out.push(windowUpdate(0, widestWindow - 65_535));
    this.#flush();
  }

  static async open(port: number): Promise<ExtProcClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new ExtProcClient(socket);
  }

  /** Opens a stream and plays the script: all messages, then the end as Envoy's graceful close does it. */
  open(script: Script): void {
    const id = this.#nextStream;
    this.#nextStream += 2;
    const block = id === 1 ? this.#blocks.first : this.#blocks.later;
    this.#streams.set(id, {
      script,
      startedMs: performance.now(),
      sent: 0,
      answered: 0,
      missing: 0,
      prefix: [],
      answer: [],
    });
    this.#out.push(frame(frameType.headers, flag.endHeaders, id, block));
    this.#advance(id);
  }

  /** Writes what the last calls produced; one write for all of them. */
  flush(): void {
    this.#flush();
  }

  close(): void {
    this.#socket.removeAllListeners("close").destroy();
  }

  #advance(id: number): void {
    const stream = this.#streams.get(id)!;
    const message = stream.script.messages[stream.sent];
    stream.sent += 1;
    if (!message) {
      this.#out.push(frame(frameType.data, flag.endStream, id, Buffer.alloc(0)));
      return;
    }
    for (let at = 0; at < message.length; at += maxFrame)
      this.#send(frame(frameType.data, 0, id, message.subarray(at, at + maxFrame)));
  }

  /** Keeps to the window of the connection. That of a stream (64 KB) is wider than any script of ours. */
  #send(data: Buffer): void {
    const length = data.length - frameHeaderLength;
    if (this.#blocked.length > 0 || this.#window < length) {
      this.#blocked.push(data);
      return;
    }
    this.#window -= length;
    this.#out.push(data);
  }

  #receive(bytes: Buffer): void {
    let buffer = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    while (buffer.length >= frameHeaderLength) {
      const length = buffer.readUIntBE(0, 3);
      if (buffer.length < frameHeaderLength + length) break;
      const id = buffer.readUInt32BE(5) & 0x7fffffff;
      this.#handle(
        buffer[3]!,
        buffer[4]!,
        id,
        buffer.subarray(frameHeaderLength, frameHeaderLength + length),
      );
      buffer = buffer.subarray(frameHeaderLength + length);
    }
    this.#rest = buffer;
    this.#flush();
  }

  #handle(type: number, flags: number, id: number, payload: Buffer): void {
    if (type === frameType.data) {
      this.#consumed += payload.length;
      if (this.#consumed > 2 ** 30) {
        this.#out.push(windowUpdate(0, this.#consumed));
        this.#consumed = 0;
      }
      const stream = this.#streams.get(id);
      if (stream) this.#read(id, stream, payload);
    } else if (type === frameType.windowUpdate && id === 0) {
      this.#window += payload.readUInt32BE(0);
      for (const data of this.#blocked.splice(0)) this.#send(data);
    } else if ((type === frameType.settings || type === frameType.ping) && (flags & flag.ack) === 0) {
      this.#out.push(frame(type, flag.ack, 0, type === frameType.ping ? payload : Buffer.alloc(0)));
    } else if (type === frameType.goAway) this.#lose();
    const ended = (type === frameType.headers || type === frameType.data) && (flags & flag.endStream) !== 0;
    if (ended || type === frameType.resetStream) this.#finish(id);
  }

  #read(id: number, stream: Stream, payload: Buffer): void {
    for (let at = 0; at < payload.length; ) {
      if (stream.prefix.length < 5) {
        stream.prefix.push(payload[at]!);
        at += 1;
        if (stream.prefix.length === 5) stream.missing = Buffer.from(stream.prefix).readUInt32BE(1);
      } else {
        const part = payload.subarray(at, at + stream.missing);
        if (stream.script.answered) stream.answer.push(part);
        stream.missing -= part.length;
        at += part.length;
      }
      if (stream.prefix.length < 5 || stream.missing > 0) continue;
      stream.script.answered?.(Buffer.concat(stream.answer));
      stream.prefix = [];
      stream.answer = [];
      stream.answered += 1;
      this.#advance(id);
    }
  }

  #finish(id: number): void {
    const stream = this.#streams.get(id);
    if (!stream) return;
    this.#streams.delete(id);
    stream.script.done(stream, stream.answered === stream.script.messages.length);
  }

  #lose(): void {
    for (const id of [...this.#streams.keys()]) this.#finish(id);
  }

  #flush(): void {
    if (this.#out.length === 0) return;
    const bytes = Buffer.concat(this.#out.splice(0));
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }
}
