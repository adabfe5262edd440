import { after, before, describe } from "node:test";
import { type Router, startRouter, transports } from "./conversation.ts";
import { sends } from "./ext-proc.ts";

/** Two endpoints, four models, one category, every guard, the cache and tracing on. */
export const config = `
vllm_endpoints:
  - { name: one, address: 127.0.0.1, port: 8001 }
  - { name: two, address: 127.0.0.1, port: 8002 }
model_config:
  calc: { preferred_endpoints: [one], reasoning_family: qwen3, pii_policy: { allow_by_default: false } }
  chat: { preferred_endpoints: [two], pii_policy: { allow_by_default: true } }
  strict: { preferred_endpoints: [two] }
  nowhere: { pii_policy: { allow_by_default: true } }
reasoning_families:
  qwen3: { type: chat_template_kwargs, parameter: enable_thinking }
default_model: strict
categories:
  - name: math
    system_prompt: You are exact.
    model_scores:
      - { model: calc, score: 0.9, use_reasoning: true }
      - { model: chat, score: 0.4, use_reasoning: false }
classifier: { category_model: { threshold: 0.6 }, pii_model: {} }
prompt_guard: { enabled: true }
semantic_cache: { enabled: true, similarity_threshold: 0.95 }
observability: { tracing: { enabled: true } }
`;

export const chat = (text: string, more: object = {}) => ({
  model: "auto",
  messages: [{ role: "user", content: text }],
  ...more,
});
export const completion = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "calc",
  choices: [{ index: 0, message: { role: "assistant", content: "4" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 },
};
export const exchange = (body: unknown, headers: Record<string, string | readonly string[]> = {}) => [
  sends.requestHeaders({ "content-length": "999", "x-request-id": "r-1", ...headers }),
  sends.requestBody(body),
  sends.responseHeaders(200),
  sends.responseBody(completion),
];
export const errorOf = (answer: Record<string, unknown>) => {
  const { status, body } = answer.immediate_response as { status: { code: number }; body: Buffer };
  const { error } = JSON.parse(body.toString()) as {
    error: { type: string; code: string; param: string | null; message: string };
  };
  return { status: status.code, ...error };
};
export const outcome = ["outcome", "outcome.reason", "http.response.status_code"];

/** Defines the tests twice: with the router spoken to in memory, and over gRPC. */
export function onEachTransport(name: string, define: (router: Omit<Router, "stop">) => void): void {
  for (const transport of transports) {
    describe(`${name}, ${transport}`, () => {
      let current: Router;
      before(async () => {
        current = await startRouter(config, transport);
      });
      after(() => current.stop());
      define({
        play: (...exchange) => current.play(...exchange),
        get encoder() {
          return current.encoder;
        },
        get faults() {
          return current.faults;
        },
      });
    });
  }
}
