import { once } from "node:events";
import { type IncomingMessage, request as open } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type CanaryRequest, headers, query } from "./requests.ts";
import type { CanaryUpstream } from "./upstream.ts";

export interface Answer {
  readonly status: number;
  /** Headers and body, as the client got them. */
  readonly text: string;
}

/**
 * Sends one request as a client would; undefined where it left before an answer came.
 * @param reachedRouter resolves once the router has the headers of this request.
 */
export async function send(
  port: number,
  requestId: string,
  one: CanaryRequest,
  upstream: CanaryUpstream,
  reachedRouter: () => Promise<void>,
): Promise<Answer | undefined> {
  const bytes = Buffer.from(one.body as string);
  const { method = "POST", path = "/v1/chat/completions" } = one;
  const outgoing = open({
    host: "127.0.0.1",
    port,
    method,
    path: path + query,
    headers: {
      ...headers,
      ...one.headers,
      "x-request-id": requestId,
      ...(one.upstream && { "x-upstream": one.upstream }),
      ...(!one.chunked && method !== "GET" && { "content-length": bytes.length }),
    },
  });
  outgoing.on("error", () => {});
  const response = once(outgoing, "response").then(([incoming]) => incoming as IncomingMessage);
  response.catch(() => {});
  let answered = false;
  outgoing.on("response", () => {
    answered = true;
  });
  if (one.leaves === "half-sent") {
    outgoing.write(bytes.subarray(0, bytes.length - 20));
    await reachedRouter();
    outgoing.destroy();
    return undefined;
  }
  if (one.chunked) outgoing.write(bytes.subarray(0, 100));
  outgoing.end(one.chunked ? bytes.subarray(100) : bytes);
  if (one.leaves === "waiting") {
    // Where a guard refuses, an answer comes instead.
    while (!upstream.has(requestId) && !answered) await sleep(5);
    if (!answered) {
      outgoing.destroy();
      return undefined;
    }
  }
  const incoming = await response;
  let text = JSON.stringify(incoming.rawHeaders);
  incoming
    .on("error", () => {})
    .on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (one.upstream === "reset") upstream.cut(requestId);
    });
  const closed = new Promise((resolve) => incoming.on("close", resolve));
  if (one.leaves === "mid-answer") {
    await once(incoming, "data");
    outgoing.destroy();
  }
  await closed;
  return { status: incoming.statusCode ?? 0, text };
}
