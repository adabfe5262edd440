import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { unbindable } from "../unbindable.ts";

/** What a path answers: a status, and a body that is sent as JSON. */
export interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Handler = (request: IncomingMessage, path: string) => Answer | Promise<Answer>;

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A peer that sends nothing, or slowly, is cut: it takes one of few places. Milliseconds, bytes */
const limits = {
  headersTimeout: 5000,
  requestTimeout: 5000,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: 5000,
  maxHeaderSize: 16_384,
};
const mostConnections = 256;

/**
 * Serves small JSON answers over HTTP/1.1.
 * @param address `host:port`, an IPv6 host in brackets; a port of 0 is chosen by the system.
 * @param key of the configuration that names the address, for the error where it cannot be bound.
 */
export async function serveHttp(address: string, key: string, handler: Handler): Promise<HttpServer> {
  const server = createServer(limits, (request, response) => {
    // No body is of interest; left unread it would hold the connection.
    request.resume();
    void respond(request, response, handler);
  });
  server.maxConnections = mostConnections;
  const [, host, port] = /^(.*):([0-9]+)$/.exec(address) ?? [];
  await new Promise<void>((resolve, reject) => {
    server
      .once("error", (error) => reject(unbindable(address, key, error)))
      .listen(Number(port), host?.replace(/^\[(.*)\]$/, "$1"), resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(request: IncomingMessage, response: ServerResponse, handler: Handler): Promise<void> {
  const path = (request.url ?? "/").replace(/[?#].*$/s, "");
  let answer: Answer;
  try {
    answer = await handler(request, path);
  } catch {
    // What went wrong may hold what it went wrong on.
    answer = { status: 500, body: { error: "this call failed; the processor's log may tell why" } };
  }
  const body = `${JSON.stringify(answer.body)}\n`;
  response.writeHead(answer.status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    ...answer.headers,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** For a path that is there, but not for this method. */
export const notAllowed = (...methods: readonly string[]): Answer => ({
  status: 405,
  body: { error: `only ${methods.join(" and ")} here` },
  headers: { allow: methods.join(", ") },
});

export const notFound = (...paths: readonly string[]): Answer => ({
  status: 404,
  body: { error: "no such path", paths },
});

export const isRead = ({ method }: IncomingMessage): boolean => method === "GET" || method === "HEAD";
