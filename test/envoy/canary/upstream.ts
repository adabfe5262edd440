import type { ServerResponse } from "node:http";
import { type Behaviour, startUpstream, type Upstream } from "../../support/faulty-upstream.ts";
import { marks } from "./marks.ts";

const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
const tool_calls = (text: string) => [
  { index: 0, id: "call_2", type: "function", function: { name: text, arguments: JSON.stringify({ text }) } },
];
const whole = JSON.stringify({
  id: "c",
  object: "chat.completion",
  model: "m",
  created: 1,
  choices: [
    { index: 0, message: { role: "assistant", content: `It is ${marks.answer}` }, finish_reason: "stop" },
  ],
  usage,
});
const frame = (delta: object, more: object = {}) =>
  `data: ${JSON.stringify({ id: "c", model: "m", choices: [{ index: 0, delta, ...more }] })}\n\n`;
const streamed = marks.streamedAnswer;
const frames =
  frame({ role: "assistant", content: `It is ${streamed}` }) +
  frame({ reasoning_content: streamed }) +
  frame({ tool_calls: tool_calls(streamed) });
const last = `${frame({}, { finish_reason: "stop" })}data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`;

export interface CanaryUpstream extends Upstream {
  /** Whether a request of that id has come. */
  has(requestId: string): boolean;
  /** Cuts an answer that is to be cut. */
  cut(requestId: string): void;
}

/** Answers with marks, as the header `x-upstream` says. */
export async function startCanaryUpstream(): Promise<CanaryUpstream> {
  const seen = new Map<string, ServerResponse>();
  const behave: Behaviour = (request, response, body) => {
    seen.set(String(request.headers["x-request-id"]), response);
    const stream = body.includes('"stream":true');
    const headers = {
      "content-type": stream ? "text/event-stream" : "application/json",
      "x-of-upstream": marks.upstreamHeader,
      "set-cookie": `s=${marks.upstreamHeader}`,
    };
    const how = request.headers["x-upstream"];
    if (how === "404" || how === "503") {
      const error = { message: marks.upstreamError, type: marks.upstreamError };
      response.writeHead(Number(how), { ...headers, "content-type": "application/json" });
      response.end(JSON.stringify({ error }));
    } else if (how === "reset" || how === "silent") {
      if (stream) response.writeHead(200, headers).write(frames);
    } else response.writeHead(200, headers).end(stream ? frames + last : whole);
  };
  const upstream = await startUpstream(behave);
  return { ...upstream, has: (id) => seen.has(id), cut: (id) => seen.get(id)?.socket?.resetAndDestroy() };
}
