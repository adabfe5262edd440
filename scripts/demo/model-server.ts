import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ChatRequest,
  chatAnswer,
  embeddings,
  modelList,
  type Received,
  received,
} from "./model-answers.ts";

export type ModelServerOptions = {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  readonly host?: string;
  /** Shown in the answers, so that a reader sees who gave them. */
  readonly name: string;
  readonly models?: readonly string[];
  /** Silence before the first byte. */
  readonly delayMs?: number;
  /** Pace of a streamed answer; default: as fast as it goes. */
  readonly tokensPerSecond?: number;
};

export type ModelServer = AsyncDisposable & {
  readonly port: number;
  /** What came in, oldest first. */
  readonly requests: readonly Received[];
  stop(): Promise<void>;
};

/** A small OpenAI-compatible model server that answers at once and tells what it received. */
export async function startModelServer(options: ModelServerOptions): Promise<ModelServer> {
  const requests: Received[] = [];
  const server = createServer((request, response) => {
    answer(options, requests, request, response).catch((error: unknown) => {
      // The client may have left; the answer then has nowhere to go.
      if (response.headersSent) response.destroy();
      else sendError(response, 500, error instanceof Error ? error.message : "failed");
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port ?? 0, options.host ?? "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP server");
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port: address.port, requests, stop, [Symbol.asyncDispose]: stop };
}

async function answer(
  options: ModelServerOptions,
  requests: Received[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const route = `${request.method} ${path}`;
  if (route === "GET /v1/models") return send(response, 200, modelList(options.models ?? [options.name]));
  if (route === "GET /health") return send(response, 200, {});
  if (!ROUTES.has(route)) return sendError(response, 404, `${route} is not served here`);

  const text = await bodyOf(request);
  let body: ChatRequest;
  try {
    body = JSON.parse(text) as ChatRequest;
  } catch {
    return sendError(response, 400, "the body is not JSON");
  }
  const got = received(path, request.headers, body, text);
  requests.push(got);
  if (options.delayMs) await sleep(options.delayMs);
  if (route === "POST /v1/embeddings") return send(response, 200, embeddings(body));

  const result = chatAnswer(path, options.name, body, got);
  if (body.stream !== true) return send(response, 200, result.whole);
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  for (const chunk of result.chunks) {
    if (response.destroyed) return;
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    if (options.tokensPerSecond) await sleep(1_000 / options.tokensPerSecond);
  }
  response.end("data: [DONE]\n\n");
}

const ROUTES = new Set(["POST /v1/chat/completions", "POST /v1/completions", "POST /v1/embeddings"]);

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

function sendError(response: ServerResponse, status: number, message: string): void {
  const type = status < 500 ? "invalid_request_error" : "server_error";
  send(response, status, { error: { message, type, param: null, code: null } });
}
