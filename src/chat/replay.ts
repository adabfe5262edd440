import { choicesOf, type Fields, fieldsOf, indexOf, parseFields } from "./answer.ts";
import { SPOKEN } from "./assembly.ts";
import { encodeFrames } from "./sse.ts";

/** An answer the router gives itself. */
export interface ReadyAnswer {
  readonly contentType: "application/json" | "text/event-stream";
  readonly body: Uint8Array;
}

export interface ReplayOptions {
  /** Whether a stream ends with the usage (`stream_options.include_usage`); zeros where it was never told. */
  readonly includeUsage: boolean;
  /** Of this answer, not of the stored one. */
  readonly id: string;
  /** Unix seconds. */
  readonly createdSeconds: number;
}

/**
 * A stored completion as an answer to a new request: whole, or as the stream an upstream would have sent.
 * `stored` is what `readCompletion` gave. Throws when it is not a completion.
 */
export function replayCompletion(
  stored: Uint8Array,
  as: "json" | "sse",
  { includeUsage, id, createdSeconds }: ReplayOptions,
): ReadyAnswer {
  const completion = parseFields(new TextDecoder().decode(stored));
  const chat = completion?.object === "chat.completion";
  if (!completion || !(chat || completion.object === "text_completion")) {
    throw new Error("not a stored completion");
  }
  if (as === "json") {
    const body = JSON.stringify({ ...completion, id, created: createdSeconds });
    return { contentType: "application/json", body: new TextEncoder().encode(body) };
  }

  const head = {
    id,
    object: chat ? "chat.completion.chunk" : "text_completion",
    created: createdSeconds,
    model: completion.model,
    ...(typeof completion.system_fingerprint === "string" && {
      system_fingerprint: completion.system_fingerprint,
    }),
  };
  const frames = choicesOf(completion).flatMap((choice, position) => {
    const index = indexOf(choice, position) ?? position;
    const parts = chat ? chatParts(choice) : textParts(choice);
    return parts.map((part) => ({
      ...head,
      choices: [{ index, ...part }],
      // OpenAI announces the usage to come in every frame before it.
      ...(includeUsage && { usage: null }),
    }));
  });
  const usage = fieldsOf(completion.usage) ?? { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  const last = includeUsage ? [{ ...head, choices: [], usage }] : [];
  return { contentType: "text/event-stream", body: encodeFrames([...frames, ...last]) };
}

/** The role with the first words, the reasoning apart from the answer, and the finish. */
function chatParts(choice: Fields): readonly Fields[] {
  const message = fieldsOf(choice.message) ?? {};
  const said = SPOKEN.filter((field) => typeof message[field] === "string" && message[field] !== "");
  const deltas = said.map((field, at) => ({
    ...(at === 0 && { role: "assistant" }),
    [field]: message[field],
  }));
  return [
    ...deltas.map((delta) => ({ delta, finish_reason: null })),
    { delta: {}, finish_reason: choice.finish_reason },
  ];
}

function textParts(choice: Fields): readonly Fields[] {
  return [
    { text: choice.text, finish_reason: null },
    { text: "", finish_reason: choice.finish_reason },
  ];
}
