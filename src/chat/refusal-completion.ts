import type { ReadyAnswer } from "./replay.ts";
import { encodeFrames } from "./sse.ts";

export interface RefusalOptions {
  readonly kind: "pii_violation" | "jailbreak_blocked";
  readonly endpoint: "chat" | "completions";
  /** The model that was denied, or a name such as `security-filter`. */
  readonly model: string;
  /** What the client reads; the caller sees to it that no refused content is in it. */
  readonly text: string;
  readonly as: "json" | "sse";
  /** Unix seconds. */
  readonly createdSeconds: number;
}

/**
 * A refusal in the shape of a completion that ended with `content_filter`, for clients that read refusals so.
 * Id `chatcmpl-pii-violation-<unix seconds>` and its like (`cmpl-…` for completions); a stream is one frame.
 */
export function refusalCompletion(options: RefusalOptions): ReadyAnswer {
  const { kind, model, text, createdSeconds } = options;
  const chat = options.endpoint === "chat";
  const stream = options.as === "sse";
  const message = { role: "assistant", content: text };
  const said = chat ? (stream ? { delta: message } : { message }) : { text };
  const completion = {
    id: `${chat ? "chatcmpl" : "cmpl"}-${kind.replace("_", "-")}-${createdSeconds}`,
    object: chat ? (stream ? "chat.completion.chunk" : "chat.completion") : "text_completion",
    created: createdSeconds,
    model,
    choices: [{ index: 0, ...said, finish_reason: "content_filter" }],
  };
  if (stream) return { contentType: "text/event-stream", body: encodeFrames([completion]) };
  const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  const body = new TextEncoder().encode(JSON.stringify({ ...completion, usage }));
  return { contentType: "application/json", body };
}
