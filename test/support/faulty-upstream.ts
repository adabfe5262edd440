import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

/** What an upstream does with a request, once it has read it. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface Upstream extends AsyncDisposable {
  readonly port: number;
  /** Requests that got here, bodies included: what must never be here, was never sent. */
  readonly requests: { readonly headers: IncomingMessage["headers"]; readonly body: string }[];
  stop(): Promise<void>;
}

/** A real HTTP server that answers as told. */
export async function startUpstream(behave: Behaviour): Promise<Upstream> {
  const requests: Upstream["requests"] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => {});
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      requests.push({ headers: request.headers, body });
      behave(request, response, body);
    });
  });
  const upgraded = new Set<Duplex>();
  server.on("upgrade", (_request, socket) => {
    upgraded.add(socket);
    socket.on("error", () => {}).on("close", () => upgraded.delete(socket));
    socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n");
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
    });
  const { port } = server.address() as AddressInfo;
  return { port, requests, stop, [Symbol.asyncDispose]: stop };
}

export const answers =
  (status: number, body: object): Behaviour =>
  (_request, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
