import {
  type ClientRequest,
  type IncomingMessage,
  Agent as PlainAgent,
  request as requestPlain,
} from "node:http";
import { request as requestTls, Agent as TlsAgent } from "node:https";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { OtlpSettings } from "../settings.ts";
import { longestAnswer, oneLine, readAnswer, readStatus } from "./answer.ts";
import { retryAfterMs } from "./backoff.ts";
import { explain } from "./explain.ts";
import { readHeaders, withoutValues } from "./headers.ts";
import { readCertificates } from "./tls.ts";
import { type Accepted, type Answer, failure, type Transport } from "./transport.ts";

const retryable = new Set([429, 502, 503, 504]);
const keepAlive = { keepAlive: true, keepAliveMsecs: 30_000, scheduling: "lifo" } as const;
const protobuf = "application/x-protobuf";

/** Certificates are read for every connection. A resumed session would not check them again, so none is kept. */
class FreshAgent extends TlsAgent {
  readonly #tls: OtlpSettings["tls"];

  constructor(tls: OtlpSettings["tls"]) {
    super({ ...keepAlive, maxCachedSessions: 0 });
    this.#tls = tls;
  }

  override createConnection(...[options, done]: Parameters<TlsAgent["createConnection"]>) {
    return super.createConnection({ ...options, ...readCertificates(this.#tls) }, done);
  }
}

/** OTLP over HTTP/1.1: protobuf bodies, posted to exactly the configured URL. */
export function httpTransport(settings: OtlpSettings, userAgent: string): Transport {
  const url = new URL(settings.url);
  const secure = url.protocol === "https:";
  const agent = secure ? new FreshAgent(settings.tls) : new PlainAgent(keepAlive);
  const own = {
    "content-type": protobuf,
    "user-agent": userAgent,
    ...(settings.compression === "gzip" && { "content-encoding": "gzip" }),
  };

  async function send(body: Buffer, timeoutMs: number): Promise<Answer> {
    let headers: Record<string, string>;
    let request: ClientRequest;
    try {
      headers = await readHeaders(settings);
    } catch (error) {
      return failure("unavailable", (error as Error).message, true);
    }
    try {
      const all = { ...headers, ...own, "content-length": body.length };
      request = (secure ? requestTls : requestPlain)(url, { method: "POST", agent, headers: all });
    } catch (error) {
      // Node's own errors are about a header; ours about a certificate, which may be right next time.
      const { code, message } = error as NodeJS.ErrnoException;
      return code?.startsWith("ERR_")
        ? failure("refused", oneLine(message), false)
        : failure("unavailable", oneLine(message), true);
    }
    const answer = await run(request, body, timeoutMs, url);
    return { ...answer, message: withoutValues(answer.message, headers) };
  }

  return {
    async pack(pieces) {
      const body = Buffer.concat(pieces);
      return settings.compression === "gzip" ? promisify(gzip)(body, { level: 1 }) : body;
    },
    send,
  };
}

function run(request: ClientRequest, body: Buffer, timeoutMs: number, url: URL): Promise<Answer> {
  return new Promise((resolve) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      resolve(failure("timeout", `no answer within ${timeoutMs} ms`, true));
      // The connection goes too: its peer may be gone without a word.
      request.destroy();
    }, timeoutMs);
    const settle = (answer: Promise<Answer>): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (late) return;
      if (!request.reusedSocket || error.code !== "ECONNRESET")
        return settle(explain(error, "http/protobuf", url));
      settle(Promise.resolve(failure("unavailable", oneLine(error.message), true, { stale: true })));
    });
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= longestAnswer) chunks.push(chunk);
        else response.destroy(new Error("the answer is longer than 1 MiB"));
      });
      response.on("error", (error) =>
        settle(Promise.resolve(failure("unavailable", oneLine(error.message), true))),
      );
      response.on("end", () => settle(judge(response, Buffer.concat(chunks), url)));
    });
    request.end(body);
  });
}

async function judge(response: IncomingMessage, raw: Buffer, url: URL): Promise<Answer> {
  const { statusCode: status = 0, statusMessage = "", headers } = response;
  const type = (headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase();
  let body = raw;
  try {
    if (headers["content-encoding"] === "gzip") {
      body = await promisify(gunzip)(raw, { maxOutputLength: longestAnswer });
    }
    if (status >= 200 && status < 300) return taken(type, body);
  } catch (error) {
    const what = `HTTP ${status}, but no ExportTraceServiceResponse`;
    return failure("invalid_response", `${what} (${oneLine((error as Error).message)})`, false);
  }
  const said = words(type, body);
  const line = `HTTP ${status} ${oneLine(statusMessage)}${said && `: ${said}`}${remedy(status, url)}`;
  const again = retryable.has(status);
  const waitMs = again ? retryAfterMs(headers["retry-after"]) : undefined;
  return failure(again ? "unavailable" : "refused", line, again, { waitMs });
}

/** Many a backend answers with an empty body, or in JSON. A page for a browser comes from something else. */
function taken(type: string, body: Buffer): Accepted {
  if (type === "text/html") throw new TypeError("a page in HTML: is this the URL of a collector?");
  if (type === protobuf || type === "") return readAnswer(body);
  if (type !== "application/json" || body.length === 0) return { accepted: true, rejected: 0, message: "" };
  const { partialSuccess } = JSON.parse(body.toString()) as {
    partialSuccess?: { rejectedSpans?: string | number; errorMessage?: string };
  };
  const rejected = Math.max(0, Number(partialSuccess?.rejectedSpans ?? 0)) || 0;
  return { accepted: true, rejected, message: oneLine(String(partialSuccess?.errorMessage ?? "")) };
}

/** The text of a refusal: OTLP's is a google.rpc.Status. */
function words(type: string, body: Buffer): string {
  try {
    if (type === protobuf) return readStatus(body).message;
  } catch {
    return "";
  }
  return type === "text/html" ? "" : oneLine(body.toString());
}

function remedy(status: number, { pathname }: URL): string {
  if (status === 404 && !pathname.endsWith("/v1/traces")) return "; does the endpoint lack /v1/traces?";
  if (status >= 300 && status < 400) return "; redirects are not followed: give the URL it points to";
  if (status === 400 && /^\/?$/.test(pathname)) return "; does the endpoint lack /v1/traces?";
  return "";
}
