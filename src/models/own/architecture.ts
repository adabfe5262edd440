import { type Limit, limitAt } from "./limit.ts";
import { Misfit, numberAt, type Part, textAt } from "./tokenizer/part.ts";

/** What is to be known of a kind of model to feed it. */
export interface Architecture {
  readonly type: string;
  /** Tokens that it has places for. */
  readonly positions: Limit;
  /** Id of the token that fills up short texts. */
  readonly padding: number;
}

// Some begin to count places after that of the padding token, and have as many fewer.
const COUNTS_FROM_PADDING: Readonly<Record<string, boolean>> = {
  bert: false,
  distilbert: false,
  electra: false,
  modernbert: false,
  "deberta-v2": false,
  roberta: true,
  "xlm-roberta": true,
  camembert: true,
  mpnet: true,
};

export const knownTypes: readonly string[] = Object.keys(COUNTS_FROM_PADDING);

/** The architecture that `config.json` names. Throws a Misfit for one that is not known. */
export function architectureOf(config: Part, path: string): Architecture {
  const type = textAt(config, "model_type", "");
  if (!Object.hasOwn(COUNTS_FROM_PADDING, type)) {
    const known = knownTypes.join(", ");
    throw new Misfit(`${path}: model_type "${type}" is not known here; known are ${known}`);
  }
  const key = "max_position_embeddings";
  const places = limitAt(config, key, path)?.tokens ?? 512;
  const after = COUNTS_FROM_PADDING[type];
  const padding = numberAt(config, "pad_token_id") ?? (after ? 1 : 0);
  return { type, positions: { tokens: places - (after ? padding + 1 : 0), path, key }, padding };
}
