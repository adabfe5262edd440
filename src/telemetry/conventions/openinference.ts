import { type Convention, messagesIn, numberIn, type Seen, textIn, totalTokens } from "./convention.ts";

/** OpenAI's names of the numbers in `gen_ai.request.*`, as a viewer would send the request again. */
const parameters = [
  ["max_tokens", "gen_ai.request.max_tokens"],
  ["temperature", "gen_ai.request.temperature"],
  ["top_p", "gen_ai.request.top_p"],
  ["top_k", "gen_ai.request.top_k"],
  ["frequency_penalty", "gen_ai.request.frequency_penalty"],
  ["presence_penalty", "gen_ai.request.presence_penalty"],
  ["seed", "gen_ai.request.seed"],
  ["n", "gen_ai.request.choice.count"],
] as const;

/** OpenInference, which Phoenix and Arize read. */
export const openinference: Convention = {
  kind: "openinference.span.kind",
  kinds: {
    "request.received": "CHAIN",
    classification: "CHAIN",
    "security.pii_detection": "GUARDRAIL",
    "security.jailbreak_detection": "GUARDRAIL",
    "cache.lookup": "RETRIEVER",
    "routing.decision": "CHAIN",
    "backend.selection": "CHAIN",
    "system_prompt.injection": "PROMPT",
  },
  upstreamKinds: { chat: "LLM", text_completion: "LLM", embeddings: "EMBEDDING", "": "CHAIN" },
  rows: {
    root: [],
    stage: [],
    upstream: [
      ["llm.system", "gen_ai.provider.name"],
      ["llm.provider", "gen_ai.provider.name"],
      ["llm.model_name", "gen_ai.request.model"],
      ["llm.request.model_name", "gen_ai.request.model"],
      ["llm.response.model_name", "gen_ai.response.model"],
      [
        "embedding.model_name",
        (seen) => (isEmbedding(seen) ? textIn(seen, "gen_ai.request.model") : undefined),
      ],
      ["llm.invocation_parameters", invocationParameters],
      ["llm.token_count.prompt", "gen_ai.usage.input_tokens"],
      ["llm.token_count.completion", "gen_ai.usage.output_tokens"],
      ["llm.token_count.total", totalTokens],
      ["llm.finish_reason", firstReason],
    ],
  },
  content(seen) {
    const input = messagesIn(seen, "gen_ai.input.messages");
    const output = messagesIn(seen, "gen_ai.output.messages");
    const last = input.findLast(({ role }) => role === "user") ?? input.at(-1);
    return [
      ...inAndOut("input", last?.text),
      ...inAndOut("output", output[0]?.text),
      ...input.flatMap(({ role, text }, i) => message(`llm.input_messages.${i}`, role, text)),
      ...output.flatMap(({ role, text }, i) => message(`llm.output_messages.${i}`, role, text)),
    ];
  },
};

const message = (at: string, role: string, text: string) =>
  [
    [`${at}.message.role`, role],
    [`${at}.message.content`, text],
  ] as const;

const inAndOut = (side: "input" | "output", text: string | undefined) =>
  text === undefined
    ? []
    : ([
        [`${side}.value`, text],
        [`${side}.mime_type`, "text/plain"],
      ] as const);

const isEmbedding = (seen: Seen): boolean => seen.get("gen_ai.operation.name") === "embeddings";

function firstReason(seen: Seen): string | undefined {
  const reasons = seen.get("gen_ai.response.finish_reasons");
  return Array.isArray(reasons) ? (reasons[0] as string | undefined) : undefined;
}

function invocationParameters(seen: Seen): string | undefined {
  const given = parameters.flatMap(([name, from]) => {
    const value = numberIn(seen, from);
    return value === undefined ? [] : [[name, value] as const];
  });
  return given.length === 0 ? undefined : JSON.stringify(Object.fromEntries(given));
}
