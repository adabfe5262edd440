import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Answered {
  readonly status: number;
  readonly cacheHit: boolean;
}

const headEnd = Buffer.from("\r\n\r\n");
const lastChunk = Buffer.from("0\r\n\r\n");

/** One keep-alive connection, one request at a time: a client that takes little of the CPU it measures. */
export class HttpConnection {
  readonly #socket: Socket;
  #parts: Buffer[] = [];
  #waiting: { resolve(answer: Answered): void; reject(error: Error): void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.#receive(bytes));
    const lost = () => this.#waiting?.reject(new Error("the connection was lost"));
    socket.on("error", lost).on("close", lost);
  }

  static async open(port: number): Promise<HttpConnection> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new HttpConnection(socket);
  }

  send(request: Buffer): Promise<Answered> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    this.#parts.push(bytes);
    // A long answer is joined once for each of its parts; ours have twenty at most.
    const all = this.#parts.length === 1 ? bytes : Buffer.concat(this.#parts);
    this.#parts = [all];
    const body = all.indexOf(headEnd) + headEnd.length;
    if (body < headEnd.length) return;
    const head = all.toString("latin1", 0, body);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    const whole =
      length === undefined
        ? all.subarray(-lastChunk.length).equals(lastChunk)
        : all.length >= body + Number(length);
    if (!whole) return;
    this.#parts = [];
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status: Number(head.slice(9, 12)), cacheHit: head.includes("x-vsr-cache-hit: true") });
  }
}

export const post = (body: string): Buffer =>
  Buffer.from(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: router\r\ncontent-type: application/json\r\nauthorization: Bearer sk-0123456789abcdef0123456789abcdef\r\nuser-agent: OpenAI/Python 2.8.1\r\naccept: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );

export interface Run {
  readonly ms: readonly number[];
  readonly cacheHits: number;
  /** How often each status other than 200 came. */
  readonly failures: ReadonlyMap<number, number>;
}

/** As many requests as `clients` connections get through in a time, each sent when the one before is answered. */
export async function drive(port: number, clients: number, forMs: number, next: () => Buffer): Promise<Run> {
  const connections = await Promise.all(Array.from({ length: clients }, () => HttpConnection.open(port)));
  const ms: number[] = [];
  const failures = new Map<number, number>();
  let cacheHits = 0;
  const until = performance.now() + forMs;
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < until) {
        const request = next();
        const sent = performance.now();
        const { status, cacheHit } = await connection.send(request);
        ms.push(performance.now() - sent);
        if (cacheHit) cacheHits += 1;
        if (status !== 200) failures.set(status, (failures.get(status) ?? 0) + 1);
      }
      connection.close();
    }),
  );
  return { ms, cacheHits, failures };
}
