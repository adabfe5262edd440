import { randomBytes } from "node:crypto";
import { request } from "node:http";
import type { VllmServer } from "../../examples/opentelemetry/vllm_server.ts";

export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** A trace context of a client that reports no spans. */
export type Caller = { readonly traceId: string; readonly spanId: string; readonly traceparent: string };

export function caller(flags = "01"): Caller {
  const traceId = randomBytes(16).toString("hex");
  const spanId = randomBytes(8).toString("hex");
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
}

/** Sends headers line by line as they are given: a list of values is as many lines. */
export function post(
  url: string,
  body: object,
  headers: Headers = {},
): Promise<{ status: number; text: string }> {
  const lines = Object.entries(headers).map(([name, value]) => [
    name,
    typeof value === "string" ? value : [...value],
  ]);
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/v1/chat/completions`,
      {
        method: "POST",
        agent: false,
        headers: { "content-type": "application/json", ...Object.fromEntries(lines) },
      },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text })).on("error", reject);
      },
    );
    sent.on("error", reject).end(JSON.stringify(body));
  });
}

/** Every line of a header in the last request that the server got. */
export function linesOf(server: VllmServer, name: string): string[] {
  const { rawHeaders } = server.requests.at(-1)!;
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name);
}
