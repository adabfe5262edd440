import { absent, type Fields, fieldsOf, indexOf, MOST_CHOICES } from "./answer.ts";

/**
 * The bytes of a completion that may be served again as JSON or as a stream, else undefined: it is an error,
 * it has no choices, one of them did not end by itself ("stop"), says nothing, or holds what a replay could not give
 * back in both forms (tool calls, audio, a refusal, log probabilities). `limitBytes` bounds the result.
 */
export function storable(completion: Fields, limitBytes: number): Uint8Array | undefined {
  const { object, choices } = completion;
  if (object !== "chat.completion" && object !== "text_completion") return undefined;
  if (!absent(completion.error) || typeof completion.model !== "string") return undefined;
  if (!Array.isArray(choices) || choices.length === 0 || choices.length > MOST_CHOICES) return undefined;
  const chat = object === "chat.completion";
  const seen = new Set<number>();
  for (const [position, value] of choices.entries()) {
    const choice = fieldsOf(value);
    const index = choice && indexOf(choice, position);
    if (index === undefined || seen.has(index) || !choice || !finished(choice, chat)) return undefined;
    seen.add(index);
  }
  const bytes = new TextEncoder().encode(JSON.stringify(completion));
  return bytes.length <= limitBytes ? bytes : undefined;
}

function finished(choice: Fields, chat: boolean): boolean {
  if (choice.finish_reason !== "stop" || !absent(choice.logprobs)) return false;
  if (!chat) return isText(choice.text);
  const message = fieldsOf(choice.message);
  return (
    message !== undefined &&
    isText(message.content) &&
    [message.tool_calls, message.function_call, message.audio, message.refusal, message.annotations].every(
      absent,
    )
  );
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
