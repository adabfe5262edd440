import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context, Tracer } from "@opentelemetry/api";
import { answerWords, type Body, promptsOf, shapes } from "./answers.ts";
import { countTokens, generate, type Pace, startClock } from "./engine.ts";
import { firstLine, parentOf, recordLlmRequest } from "./llm-request.ts";

/** Undefined while tracing is off. */
export type Tracing = { readonly tracer: Tracer } | undefined;

/**
 * Answers one chat or completions call, and records it once it is finished: a span for each choice of each prompt, all
 * with the same parent. A client that left leaves no span, as with vLLM; false then.
 */
export async function serve(
  chat: boolean,
  body: Body,
  request: IncomingMessage,
  response: ServerResponse,
  pace: Pace,
  tracing: Tracing,
): Promise<boolean> {
  const clock = startClock();
  const requestId = firstLine(request.rawHeaders, "x-request-id") ?? randomUUID().replaceAll("-", "");
  const id = `${chat ? "chatcmpl" : "cmpl"}-${requestId}`;
  const model = body.model ?? "";
  const n = body.n ?? 1;
  const maxTokens = body.max_completion_tokens ?? body.max_tokens ?? (chat ? undefined : 16);
  const prompts = promptsOf(chat, body);
  const { words, cut } = answerWords(model, maxTokens);
  const form = shapes(chat, id, model, prompts.length * n, cut);
  const promptTokens = prompts.map(countTokens);
  const usage = {
    promptTokens: promptTokens.reduce((sum, count) => sum + count, 0),
    completionTokens: words.length * prompts.length * n,
  };

  const stream = body.stream === true;
  const send = async (chunks: readonly object[]): Promise<void> => {
    if (!response.headersSent)
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    const fits = chunks.map((chunk) => response.write(`data: ${JSON.stringify(chunk)}\n\n`));
    if (fits.includes(false) && !response.destroyed)
      await Promise.race([once(response, "drain"), once(response, "close")]);
  };
  const moments = await generate(
    words,
    clock,
    pace,
    () => response.destroyed,
    async (word, index) => {
      if (stream) await send(form.piece(word, index === 0));
    },
  );
  if (moments === undefined) return false;

  if (tracing) {
    const parent: Context = parentOf(request.rawHeaders);
    for (const [index, tokens] of promptTokens.entries()) {
      for (let choice = 0; choice < n; choice++) {
        recordLlmRequest(tracing.tracer, parent, {
          id: chat ? id : `${id}-${index}`,
          moments,
          promptTokens: tokens,
          completionTokens: words.length,
          temperature: body.temperature ?? 1,
          topP: body.top_p ?? 1,
          maxTokens,
          n,
        });
      }
    }
  }

  if (!stream) {
    sendJson(response, 200, form.whole(words.join(""), usage));
    return true;
  }
  await send(form.end(body.stream_options?.include_usage === true ? usage : undefined));
  response.end("data: [DONE]\n\n");
  return true;
}

export function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  response.writeHead(status, headers).end(text);
}
