/** Why a model stopped, in the words of the servers that speak OpenAI's protocol. */
const known = new Set([
  "stop",
  "length",
  "tool_calls",
  "content_filter",
  "function_call",
  "abort",
  "error",
  "repetition",
  "eos_token",
  "stop_sequence",
  "end_turn",
  "max_tokens",
  "tool_use",
]);

/** A finish reason that is fit to be shown: one of the known ones, `other` for any other text, undefined for none. */
export function finishReasonOf(value: unknown): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  return known.has(value) ? value : "other";
}
