import { oracle, sends } from "../../test/support/ext-proc.ts";

/** Headers of a usual request through Envoy: 18 with the pseudo headers that `sends` adds. */
const requestHeaders = {
  "x-request-id": "5d6e2b8c-6a0f-4c43-9d3b-0d3f2f1f7a55",
  "x-forwarded-proto": "http",
  "content-type": "application/json",
  accept: "application/json",
  authorization: "Bearer sk-0123456789abcdef0123456789abcdef",
  "user-agent": "OpenAI/Python 2.8.1",
  "accept-encoding": "identity",
  "x-stainless-lang": "python",
  "x-stainless-package-version": "2.8.1",
  "x-stainless-os": "Linux",
  "x-stainless-arch": "x64",
  "x-stainless-runtime": "CPython",
  "x-stainless-runtime-version": "3.13.1",
};

const responseHeaders = {
  server: "uvicorn",
  date: "Sat, 21 Nov 2026 12:00:00 GMT",
  "content-length": "1700",
  "x-envoy-upstream-service-time": "12",
};

/** The messages of one exchange as Envoy sends them, on the wire. */
export function exchange(requestBody: string, responseBody: string): Buffer[] {
  return [
    sends.requestHeaders({ ...requestHeaders, "content-length": String(Buffer.byteLength(requestBody)) }),
    sends.requestBody(requestBody),
    sends.responseHeaders(200, responseHeaders),
    sends.responseBody(responseBody),
  ].map((message) => oracle.requestSerialize(message));
}

/** The first two only: all that happens before the request goes upstream. */
export const requestHalf = (messages: readonly Buffer[]): Buffer[] => messages.slice(0, 2);

/** About 1.2 KB, for a model that the client names. */
export const usualRequest = (model: string): string =>
  JSON.stringify({
    model,
    temperature: 0.7,
    max_tokens: 512,
    messages: [
      { role: "system", content: "You are a helpful assistant. ".repeat(20) },
      { role: "user", content: "Explain how a suspension bridge carries its load. ".repeat(9) },
    ],
  });

/** About 1.7 KB. */
export const usualResponse = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_795_000_000,
  model: "general-model",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: "The deck hangs from cables. ".repeat(52) },
      finish_reason: "stop",
    },
  ],
  usage: { prompt_tokens: 250, completion_tokens: 330, total_tokens: 580 },
});

/** An answer cut short is never stored, so the next exchange with the same question is classified again. */
export const uncacheable = usualResponse.replace('"finish_reason":"stop"', '"finish_reason":"length"');

/** An answer as the .proto files read it. */
export const readAnswer = (bytes: Buffer): Record<string, unknown> => oracle.responseDeserialize(bytes);
