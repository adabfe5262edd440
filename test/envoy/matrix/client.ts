import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:http2";
import type { Cell } from "./cell.ts";

/** What a client saw of an exchange. */
export interface Seen {
  readonly status: number | undefined;
  /** The answer came to its end. */
  readonly whole: boolean;
}

/** Longer than any exchange of the matrix, on any machine. */
export const longestWaitMs = 15_000;

/** One client with a connection of its own. */
export interface Client {
  /** Sends the first half of the body, or the rest of it. */
  sendHalf(): void;
  sendRest(): void;
  /** The answer's headers and first bytes are there. */
  begun(): Promise<void>;
  /** The answer holds that text. */
  read(text: string): Promise<void>;
  /** Waits for the end, whatever kind of end it is. */
  finish(): Promise<Seen>;
  leave(): Seen;
}

export function openClient(port: number, cell: Cell): Client {
  const { body, path } = cell.row;
  const bytes = Buffer.from(body);
  const half = bytes.subarray(0, bytes.length / 2);
  const agent = new Agent({ keepAlive: true });
  const outgoing = request({
    agent,
    host: "127.0.0.1",
    port,
    method: "POST",
    path,
    headers: { ...cell.headers, "content-length": bytes.length },
  });
  let status: number | undefined;
  let whole = false;
  let text = "";
  let sent = 0;
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of [...listeners]) listener();
  };
  const until = (what: string, isSo: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      const settle = (why: string | undefined) => {
        clearTimeout(timer);
        listeners.delete(check);
        if (why === undefined) resolve();
        else
          reject(
            new Error(`${cell.name}: ${why} before ${what}; status ${status}, answer so far: "${text}"`),
          );
      };
      const check = () => {
        if (isSo()) settle(undefined);
        else if (over) settle("the exchange ended");
      };
      const timer = setTimeout(() => settle(`${longestWaitMs} ms passed`), longestWaitMs);
      listeners.add(check);
      check();
    });
  let over = false;
  outgoing.on("error", () => {});
  outgoing.on("close", () => {
    over = true;
    agent.destroy();
    tell();
  });
  outgoing.on("response", (incoming: IncomingMessage) => {
    status = incoming.statusCode;
    incoming
      .on("error", () => {})
      .on("data", (chunk: Buffer) => {
        text += chunk.toString();
        tell();
      });
    incoming.on("end", () => {
      whole = incoming.complete;
      over = true;
      tell();
    });
  });
  const seen = (): Seen => ({ status, whole });
  return {
    sendHalf() {
      outgoing.write(half);
      sent = half.length;
    },
    sendRest() {
      outgoing.end(bytes.subarray(sent));
    },
    begun: () => until("its answer began", () => text !== ""),
    read: (part) => until(`it read ${part}`, () => text.includes(part)),
    async finish() {
      await until("its end", () => over);
      agent.destroy();
      return seen();
    },
    leave() {
      outgoing.destroy();
      agent.destroy();
      return seen();
    },
  };
}

/** A client of HTTP/2 that takes the first bytes of its answer and resets the stream; the connection stays. */
export async function resetMidAnswer(port: number, cell: Cell): Promise<Seen> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  try {
    const stream = session.request({ ":method": "POST", ":path": cell.row.path, ...cell.headers });
    stream.on("error", () => {});
    let status: number | undefined;
    stream.on("response", (headers) => {
      status = headers[":status"];
    });
    stream.end(cell.row.body);
    await once(stream, "data", { signal: AbortSignal.timeout(longestWaitMs) });
    // 8: the client has no more interest.
    stream.close(8);
    await once(stream, "close");
    return { status, whole: false };
  } finally {
    await new Promise<void>((resolve) => session.close(resolve));
  }
}
