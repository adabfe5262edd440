import { type Behaviour, startUpstream, type Upstream } from "../../support/faulty-upstream.ts";
import { longestWaitMs } from "./client.ts";

export interface MatrixUpstream extends Upstream {
  /** Resolves once the request with that id is here; rejects where it does not come. */
  arrived(requestId: string): Promise<void>;
  /** Lets a held answer go on to its end, which is a reset where it is to be reset. */
  release(requestId: string): void;
}

export const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };

const chunk = (choices: object[], more: object = {}) =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", model: "m", choices, ...more })}\n\n`;
const word = (content: string) => chunk([{ index: 0, delta: { content } }]);
const doneFrame = "data: [DONE]\n\n";
const sse = {
  type: "text/event-stream",
  first: word("a") + word("b"),
  last: chunk([{ index: 0, delta: {}, finish_reason: "stop" }]) + chunk([], { usage }),
};
const text = JSON.stringify({
  id: "c",
  object: "chat.completion",
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "a b" }, finish_reason: "stop" }],
  usage,
});
const json = { type: "application/json", first: text.slice(0, 60), last: text.slice(60) };

/** Answers each request as its header `x-upstream` says. */
export async function startMatrixUpstream(): Promise<MatrixUpstream> {
  const arrivals = new Map<string, PromiseWithResolvers<void>>();
  const held = new Map<string, () => void>();
  const attempts = new Map<string, number>();
  const arrival = (id: string) => {
    const known = arrivals.get(id) ?? Promise.withResolvers<void>();
    arrivals.set(id, known);
    return known;
  };

  const behave: Behaviour = (request, response, body) => {
    const id = String(request.headers["x-request-id"]);
    const answer = body.includes('"stream":true') ? sse : json;
    const done = answer === sse ? doneFrame : "";
    const begin = () => response.writeHead(200, { "content-type": answer.type }).write(answer.first);
    const whole = () => {
      if (!response.headersSent) begin();
      response.end(answer.last + done);
    };
    const attempt = (attempts.get(id) ?? 0) + 1;
    attempts.set(id, attempt);
    switch (request.headers["x-upstream"]) {
      case "404":
      case "503":
        response
          .writeHead(Number(request.headers["x-upstream"]), { "content-type": "application/json" })
          .end('{"error":{"message":"no"}}');
        break;
      case "reset":
        begin();
        held.set(id, () => response.socket?.resetAndDestroy());
        break;
      case "reset-once":
        if (attempt === 1) response.socket?.resetAndDestroy();
        else whole();
        break;
      case "think":
      case "wait":
        break;
      case "silence":
      case "half":
        begin();
        break;
      case "no-done":
        begin();
        response.end(answer.last);
        break;
      case "no-end":
        begin();
        response.write(answer.last + done);
        break;
      case "hold":
        if (answer === sse) begin();
        held.set(id, whole);
        break;
      default:
        whole();
    }
    arrival(id).resolve();
  };
  const upstream = await startUpstream(behave);
  return {
    ...upstream,
    async arrived(id) {
      const timer = setTimeout(
        () => arrival(id).reject(new Error(`${id} did not reach upstream`)),
        longestWaitMs,
      );
      await arrival(id).promise.finally(() => clearTimeout(timer));
    },
    release(id) {
      held.get(id)?.();
    },
  };
}
