import { member, numberText } from "./json.ts";
import type { Chat } from "./request.ts";

/** Sampling parameters of a request: numbers only, so none of them can hold what was said. */
export interface Parameters {
  readonly maxTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly topK: number | undefined;
  readonly frequencyPenalty: number | undefined;
  readonly presencePenalty: number | undefined;
  readonly seed: number | undefined;
  /** `n`: answers asked for. */
  readonly choices: number | undefined;
}

/** Above it, a number may be an account or a card that was put where a parameter belongs. */
const largestWhole = 1e9;
const largestShare = 100;

/** Reads them from a request that was read already. What is missing, no number or out of all reason is undefined. */
export function parametersOf(chat: Chat): Parameters {
  const numberOf = (key: string): number | undefined => {
    const node = member(chat.root, key);
    return node?.kind === "number" ? Number(numberText(node, chat.bytes)) : undefined;
  };
  return {
    maxTokens: whole(chat.maxTokens),
    temperature: share(numberOf("temperature")),
    topP: share(numberOf("top_p")),
    topK: whole(numberOf("top_k")),
    frequencyPenalty: share(numberOf("frequency_penalty")),
    presencePenalty: share(numberOf("presence_penalty")),
    seed: whole(numberOf("seed")),
    choices: whole(numberOf("n")),
  };
}

function whole(value: number | undefined): number | undefined {
  return value !== undefined && Number.isInteger(value) && Math.abs(value) <= largestWhole
    ? value
    : undefined;
}

/** To four decimals, which are more than anybody means. */
function share(value: number | undefined): number | undefined {
  return value !== undefined && Math.abs(value) <= largestShare
    ? Math.round(value * 10_000) / 10_000
    : undefined;
}
