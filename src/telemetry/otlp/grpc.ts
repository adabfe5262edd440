import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { OtlpSettings } from "../settings.ts";
import { longestAnswer, oneLine, readAnswer } from "./answer.ts";
import { explain } from "./explain.ts";
import { fromHttpStatus, fromReset, grpcFailure, grpcName } from "./grpc-codes.ts";
import { connectionTo, type Link } from "./grpc-connection.ts";
import { readHeaders, withoutValues } from "./headers.ts";
import { type Answer, failure, type Transport } from "./transport.ts";

const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const unavailable = 14;
const deadlineExceeded = 4;
/** Names repeat in every span: the quickest level already finds them. */
const level = 1;

/** What came of one stream. */
interface Exchange {
  head: IncomingHttpHeaders & IncomingHttpStatusHeader;
  trailers: IncomingHttpHeaders;
  body: Buffer;
  error: Error | undefined;
  resetCode: number;
  ended: boolean;
}

/** OTLP over gRPC: unary calls on one HTTP/2 connection of Node's own. */
export function grpcTransport(settings: OtlpSettings, userAgent: string): Transport {
  const connection = connectionTo(settings);
  const url = new URL(settings.url);
  const own = {
    ":method": "POST",
    ":path": path,
    te: "trailers",
    "content-type": "application/grpc",
    "user-agent": userAgent,
    "grpc-accept-encoding": "identity,gzip",
    ...(settings.compression === "gzip" && { "grpc-encoding": "gzip" }),
  };

  async function send(request: Buffer, timeoutMs: number): Promise<Answer> {
    let headers: Record<string, string>;
    let link: Link;
    let stream: ClientHttp2Stream;
    try {
      headers = await readHeaders(settings);
      link = connection.link();
    } catch (error) {
      return unavailableFor((error as Error).message);
    }
    const reused = link.answered > 0;
    try {
      stream = link.session.request({ ...headers, ...own, "grpc-timeout": grpcTimeout(timeoutMs) });
    } catch (error) {
      connection.release(link, false);
      return failure("refused", oneLine((error as Error).message), false);
    }
    const exchange = await run(stream, request, timeoutMs);
    connection.release(link, exchange === "timeout");
    if (exchange === "timeout") {
      return grpcFailure(deadlineExceeded, `no answer within ${timeoutMs} ms`);
    }
    const answer = await judge(exchange, link, reused, url);
    if (answer.accepted) link.answered += 1;
    return { ...answer, message: withoutValues(answer.message, headers) };
  }

  return { pack: (pieces) => frame(pieces, settings.compression), send };
}

/** The message in gRPC's frame: whether it is compressed, its length, its bytes. */
async function frame(
  pieces: readonly Uint8Array[],
  compression: OtlpSettings["compression"],
): Promise<Buffer> {
  const packed = compression === "gzip";
  const parts = packed ? [await promisify(gzip)(Buffer.concat(pieces), { level })] : pieces;
  const head = Buffer.alloc(5);
  head.writeUInt8(packed ? 1 : 0);
  head.writeUInt32BE(
    parts.reduce((sum, { length }) => sum + length, 0),
    1,
  );
  return Buffer.concat([head, ...parts]);
}

/** At most eight digits are allowed. */
const grpcTimeout = (ms: number): string => `${Math.min(99_999_999, Math.max(1, Math.ceil(ms)))}m`;

function run(stream: ClientHttp2Stream, request: Buffer, timeoutMs: number): Promise<Exchange | "timeout"> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const seen: Exchange = {
      head: {},
      trailers: {},
      body: Buffer.alloc(0),
      error: undefined,
      resetCode: 0,
      ended: false,
    };
    const timer = setTimeout(() => {
      resolve("timeout");
      stream.close(constants.NGHTTP2_CANCEL);
    }, timeoutMs);
    stream.on("response", (head) => {
      seen.head = head;
    });
    stream.on("trailers", (trailers) => {
      seen.trailers = trailers;
    });
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= longestAnswer) chunks.push(chunk);
      else stream.destroy(new Error("the answer is longer than 1 MiB"));
    });
    stream.on("end", () => {
      seen.ended = true;
    });
    stream.on("error", (error) => {
      seen.error = error;
    });
    stream.on("close", () => {
      clearTimeout(timer);
      resolve({ ...seen, body: Buffer.concat(chunks), resetCode: stream.rstCode ?? 0 });
    });
    stream.end(request);
  });
}

async function judge(seen: Exchange, link: Link, reused: boolean, url: URL): Promise<Answer> {
  const status = seen.trailers["grpc-status"] ?? seen.head["grpc-status"];
  if (status === undefined) return withoutStatus(seen, link, reused, url);
  const fields = seen.trailers["grpc-status"] === undefined ? seen.head : seen.trailers;
  const code = /^\d{1,2}$/.test(String(status)) ? Number(status) : undefined;
  if (code === undefined) return garbage("a grpc-status that is no number");
  if (code !== 0) {
    return grpcFailure(
      code,
      decoded(fields["grpc-message"]),
      String(fields["grpc-status-details-bin"] ?? ""),
    );
  }
  try {
    return readAnswer(await unframe(seen.body));
  } catch (error) {
    return garbage(`no ExportTraceServiceResponse (${oneLine((error as Error).message)})`);
  }
}

async function withoutStatus(seen: Exchange, link: Link, reused: boolean, url: URL): Promise<Answer> {
  const { head, error, resetCode } = seen;
  const status: number | undefined = head[":status"];
  if (status === undefined) {
    const refused = resetCode === constants.NGHTTP2_REFUSED_STREAM;
    const gone = link.session.destroyed || link.session.closed;
    if (refused || (gone && reused)) return { ...unavailableFor("the connection was closed"), stale: true };
    if (link.spoke && !gone && resetCode !== 0) return fromReset(resetCode);
    const cause = link.error ?? rootOf(error) ?? new Error("the connection was closed before the answer");
    const told = await explain(cause, "grpc", url);
    return told.reason === "unavailable"
      ? { ...told, message: `${grpcName(unavailable)}: ${told.message}` }
      : told;
  }
  if (status !== 200) return fromHttpStatus(status);
  const type = String(head["content-type"] ?? "none");
  if (!type.startsWith("application/grpc"))
    return garbage(`content-type ${oneLine(type)}; is this a collector?`);
  if (seen.ended && resetCode === 0) return garbage("no grpc-status");
  return unavailableFor(oneLine(error?.message ?? "the connection was closed amid the answer"));
}

/** Streams that wait for the connection get an error of their own, with the real one as its cause. */
const rootOf = (error: Error | undefined): Error | undefined =>
  error?.cause instanceof Error ? error.cause : error;

const garbage = (what: string): Answer => failure("invalid_response", `the answer has ${what}`, false);
const unavailableFor = (why: string) => grpcFailure(unavailable, why);

/** `grpc-message` is percent-encoded UTF-8. */
function decoded(message: string | string[] | undefined): string {
  const text = String(message ?? "");
  try {
    return oneLine(decodeURIComponent(text));
  } catch {
    return oneLine(text);
  }
}

/** A collector may compress its answer as the request was. */
async function unframe(body: Buffer): Promise<Buffer> {
  if (body.length < 5 || body.readUInt32BE(1) !== body.length - 5 || body[0]! > 1) {
    throw new RangeError("gRPC: bad frame");
  }
  const message = body.subarray(5);
  return body[0] === 1 ? promisify(gunzip)(message, { maxOutputLength: longestAnswer }) : message;
}
