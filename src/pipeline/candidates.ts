import type { Config, ModelScore } from "../config/schema.ts";
import type { Classified } from "./classified.ts";
import type { ModelDirectory, RoutableModel } from "./models.ts";

/** One model that may answer, with the line of the configuration that says so. */
export interface Candidate {
  readonly model: RoutableModel;
  /** The category's score; none for the default model and for one that the client named. */
  readonly scored: ModelScore | undefined;
}

/** The models that may answer an `auto` request, best first: the category's by score, then the default model. */
export function candidatesFor(config: Pick<Config, "default_model">, models: ModelDirectory) {
  const fallback: Candidate[] = config.default_model
    ? [{ model: models.named(config.default_model), scored: undefined }]
    : [];
  return (classified: Classified | undefined): readonly Candidate[] => {
    const scores = [...(classified?.category?.model_scores ?? [])].sort((a, b) => b.score - a.score);
    const scored = scores.map((one) => ({ model: models.routable(one.model, one.lora_name), scored: one }));
    return [...scored, ...fallback];
  };
}

export type CandidatesFor = ReturnType<typeof candidatesFor>;
