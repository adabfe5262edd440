import { type Convention, messagesIn, type Seen, spanName, textIn, totalTokens } from "./convention.ts";

const requestTypes = new Map([
  ["chat", "chat"],
  ["text_completion", "completion"],
]);

/** OpenLLMetry, which Traceloop reads, with the older `gen_ai.*` names that its dashboards were made for. */
export const openllmetry: Convention = {
  kind: "traceloop.span.kind",
  kinds: {
    "request.received": "workflow",
    classification: "task",
    "security.pii_detection": "task",
    "security.jailbreak_detection": "task",
    "cache.lookup": "task",
    "routing.decision": "task",
    "backend.selection": "task",
    "system_prompt.injection": "task",
  },
  // A call of a model has no kind there: it is told by `llm.request.type`.
  upstreamKinds: {},
  rows: {
    root: [
      ["traceloop.workflow.name", () => "semantic_router"],
      ["traceloop.entity.name", () => "semantic_router"],
      ["traceloop.association.properties.user_id", "user.id"],
    ],
    stage: [
      ["traceloop.workflow.name", () => "semantic_router"],
      ["traceloop.entity.name", spanName],
    ],
    upstream: [
      ["traceloop.workflow.name", () => "semantic_router"],
      ["llm.request.type", requestType],
      ["gen_ai.system", "gen_ai.provider.name"],
      ["gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens"],
      ["gen_ai.usage.completion_tokens", "gen_ai.usage.output_tokens"],
      ["gen_ai.usage.total_tokens", totalTokens],
      ["llm.usage.total_tokens", totalTokens],
      ["llm.top_k", "gen_ai.request.top_k"],
      ["llm.frequency_penalty", "gen_ai.request.frequency_penalty"],
      ["llm.presence_penalty", "gen_ai.request.presence_penalty"],
    ],
  },
  content: (seen) => [
    ...messagesIn(seen, "gen_ai.input.messages").flatMap(
      ({ role, text }, i) =>
        [
          [`gen_ai.prompt.${i}.role`, role],
          [`gen_ai.prompt.${i}.content`, text],
        ] as const,
    ),
    ...messagesIn(seen, "gen_ai.output.messages").flatMap(
      ({ role, text, finishReason = "" }, i) =>
        [
          [`gen_ai.completion.${i}.role`, role],
          [`gen_ai.completion.${i}.content`, text],
          [`gen_ai.completion.${i}.finish_reason`, finishReason],
        ] as const,
    ),
  ],
};

function requestType(seen: Seen): string | undefined {
  return requestTypes.get(textIn(seen, "gen_ai.operation.name") ?? "");
}
