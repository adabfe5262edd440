import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { Pair } from "../extproc/header-mutation.ts";

export interface HeaderUpstream extends AsyncDisposable {
  readonly port: number;
  /** Sends a chat with these header lines to a port that leads here, and gives the lines that came. */
  receives(port: number, headers: readonly Pair[]): Promise<Pair[]>;
  stop(): Promise<void>;
}

const chat = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] });
/** Bytes: 32 tracestate members as large as they may be take more than Node's default of 16 KiB. */
const maxHeaderSize = 65_536;

/** An upstream that tells header lines apart, where `request.headers` would join or drop some. */
export async function startHeaderUpstream(): Promise<HeaderUpstream> {
  const got = new Map<string, Pair[]>();
  let sent = 0;
  const server = createServer({ maxHeaderSize }, (incoming, response) => {
    const { rawHeaders } = incoming;
    const pairs = Array.from(
      { length: rawHeaders.length / 2 },
      (_, i): Pair => [rawHeaders[2 * i]!, rawHeaders[2 * i + 1]!],
    );
    got.set(String(incoming.headers["x-case"]), pairs);
    incoming.resume().on("end", () => {
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    port: (server.address() as AddressInfo).port,
    async receives(port, headers) {
      sent += 1;
      const id = String(sent);
      // One flat list: only so does Node write each line as it is, in this order.
      const lines = [["host", "router"], ["x-case", id], ["content-length", String(chat.length)], ...headers];
      const outgoing = request({
        host: "127.0.0.1",
        port,
        method: "POST",
        path: "/v1/chat/completions",
        headers: lines.flat(),
      });
      outgoing.end(chat);
      const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
      let text = "";
      for await (const chunk of answer) text += String(chunk);
      const came = got.get(id);
      if (!came) throw new Error(`nothing came upstream, the client got ${answer.statusCode} ${text}`);
      return came;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
