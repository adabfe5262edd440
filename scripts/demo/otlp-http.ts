import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { gunzipSync } from "node:zlib";

/** Takes one ExportTraceServiceRequest; throws when the bytes are none. */
export type TakeExport = (bytes: Buffer) => void;

export type OtlpHttp = { readonly port: number; stop(): void };

const PATH = "/v1/traces";
const PROTOBUF = "application/x-protobuf";

/** The listener for OTLP over http/protobuf. `take` gets each request's body, unzipped. */
export async function listenOtlpHttp(port: number, host: string, take: TakeExport): Promise<OtlpHttp> {
  const server = createServer((request, response) => {
    receive(request, response, take).catch((error: unknown) =>
      refuse(response, 400, error instanceof Error ? error.message : String(error)),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP server");
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { port: address.port, stop };
}

/** Says no as a collector does, so that a wrong path or type is seen on the sender's side too. */
async function receive(request: IncomingMessage, response: ServerResponse, take: TakeExport): Promise<void> {
  const { method, url = "/", headers } = request;
  if (url.split("?", 1)[0] !== PATH) return refuse(response, 404, `${url} is not ${PATH}`);
  if (method !== "POST") return refuse(response, 405, `${method} is not POST`);
  const type = headers["content-type"]?.split(";", 1)[0]?.trim();
  if (type !== PROTOBUF) return refuse(response, 415, `${type ?? "no content-type"} is not ${PROTOBUF}`);
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip") {
    return refuse(response, 415, `content-encoding ${encoding} is neither gzip nor identity`);
  }

  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  take(encoding === "gzip" ? gunzipSync(body) : body);
  // An ExportTraceServiceResponse with nothing to say has no bytes.
  response.writeHead(200, { "content-type": PROTOBUF, "content-length": 0 }).end();
}

function refuse(response: ServerResponse, status: number, why: string): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  // The body may still be on its way; the connection cannot be used again.
  response.writeHead(status, { "content-type": "text/plain", connection: "close" }).end(`${why}\n`);
}
