import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** The request fields that the demo servers look at; any may be missing. */
export type ChatRequest = {
  readonly model?: string;
  readonly messages?: readonly { readonly role?: string; readonly content?: unknown }[];
  readonly prompt?: unknown;
  readonly input?: unknown;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly [field: string]: unknown;
};

/** What reached the server after the router had its say. */
export type Received = {
  readonly path: string;
  readonly model: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly system_prompt: string | null;
  readonly reasoning: Readonly<Record<string, unknown>>;
  /** The body, byte for byte; not echoed. */
  readonly body: string;
};

const ECHOED_HEADERS = [
  "traceparent",
  "tracestate",
  "x-request-id",
  "x-selected-model",
  "x-vsr-destination-endpoint",
  "content-length",
];
const REASONING_FIELDS = ["reasoning_effort", "chat_template_kwargs", "reasoning", "thinking"];

export function received(
  path: string,
  headers: IncomingHttpHeaders,
  body: ChatRequest,
  text: string,
): Received {
  const system = (body.messages ?? []).filter(({ role }) => role === "system" || role === "developer");
  return {
    path,
    model: body.model ?? "",
    headers: Object.fromEntries(
      ECHOED_HEADERS.flatMap((name) => (headers[name] ? [[name, String(headers[name])]] : [])),
    ),
    system_prompt: system.length > 0 ? system.map(({ content }) => textOf(content)).join("\n") : null,
    reasoning: Object.fromEntries(
      REASONING_FIELDS.flatMap((name) => (name in body ? [[name, body[name]]] : [])),
    ),
    body: text,
  };
}

/** An answer as one JSON object and, with the same words, as the chunks of a stream. */
export function chatAnswer(
  path: string,
  server: string,
  body: ChatRequest,
  got: Received,
): { whole: object; chunks: object[] } {
  const chat = path === "/v1/chat/completions";
  const model = body.model ?? server;
  const text = `Hello! This is ${model} at ${server}. I am a demo model: I only tell who answered, but I do it gladly.`;
  const words = text.match(/\S+\s*/g) ?? [];
  const asked = chat
    ? (body.messages ?? []).map(({ content }) => textOf(content)).join("\n")
    : textOf(body.prompt);
  const prompt_tokens = tokens(asked);
  const usage = {
    prompt_tokens,
    completion_tokens: words.length,
    total_tokens: prompt_tokens + words.length,
  };
  const { body: _, ...echo } = got;
  const head = {
    id: `${chat ? "chatcmpl" : "cmpl"}-${randomUUID()}`,
    created: Math.floor(Date.now() / 1_000),
    model,
  };

  const piece = (index: number, content: string, finish_reason: string | null): object =>
    chat
      ? {
          index: 0,
          delta: index === 0 ? { role: "assistant", content } : finish_reason ? {} : { content },
          finish_reason,
        }
      : { index: 0, text: content, finish_reason };
  const streamed = { ...head, object: chat ? "chat.completion.chunk" : "text_completion" };
  const withUsage = body.stream_options?.include_usage === true;
  const chunks: object[] = [
    ...words.map((word, index) => ({
      ...streamed,
      choices: [piece(index, word, null)],
      ...(index === 0 && { received: echo }),
    })),
    { ...streamed, choices: [piece(words.length, "", "stop")] },
    ...(withUsage ? [{ ...streamed, choices: [], usage }] : []),
  ];

  const choice = chat ? { message: { role: "assistant", content: text } } : { text };
  const whole = {
    ...head,
    object: chat ? "chat.completion" : "text_completion",
    choices: [{ index: 0, ...choice, finish_reason: "stop" }],
    usage,
    received: echo,
  };
  return { whole, chunks };
}

export function embeddings(body: ChatRequest): object {
  const inputs = Array.isArray(body.input) ? body.input : [body.input];
  const prompt_tokens = inputs.reduce<number>((sum, input) => sum + tokens(textOf(input)), 0);
  return {
    object: "list",
    model: body.model,
    data: inputs.map((_, index) => ({ object: "embedding", index, embedding: [1, 0, 0, 0] })),
    usage: { prompt_tokens, total_tokens: prompt_tokens },
  };
}

export function modelList(models: readonly string[]): object {
  return {
    object: "list",
    data: models.map((id) => ({ id, object: "model", created: 0, owned_by: "demo" })),
  };
}

/** Text of a message, whether it is a string or a list of parts. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part: { text?: unknown }) => (typeof part === "string" ? part : String(part?.text ?? "")))
    .join("\n");
}

/** A count of the right size; the demo has no tokenizer. */
const tokens = (text: string): number => Math.max(1, Math.ceil(text.length / 4));
