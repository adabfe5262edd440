/** What one category would do, and how probable it is. `reason` is undefined for a category without candidates. */
export interface ReasoningVote {
  readonly probability: number;
  readonly reason: boolean | undefined;
}

export interface ReasoningDecision {
  readonly enabled: boolean;
  readonly why: string;
}

/**
 * Whether to reason, from how certain the classification is: the more certain, the more the top category's own flag
 * counts; the less, the more its neighbours'. The levels and their names are vLLM Semantic Router's.
 * @param votes by probability, highest first; those of all labels, so that the entropy is that of the whole answer.
 * @param threshold probability at which the top category counts at medium uncertainty.
 */
export function decideReasoning(votes: readonly ReasoningVote[], threshold: number): ReasoningDecision {
  const top = votes[0];
  if (!top) return { enabled: false, why: "no_classification_data" };
  const uncertainty = normalisedEntropy(votes.map((vote) => vote.probability));
  if (uncertainty >= 0.8) return { enabled: true, why: "very_high_uncertainty_conservative_default" };
  if (uncertainty >= 0.6)
    return { enabled: weighted(votes.slice(0, 2)), why: "high_uncertainty_weighted_decision" };
  if (uncertainty >= 0.4) {
    return top.probability >= threshold && top.reason !== undefined
      ? { enabled: top.reason, why: "medium_uncertainty_top_category_above_threshold" }
      : { enabled: weighted(votes.slice(0, 3)), why: "medium_uncertainty_weighted" };
  }
  if (top.reason === undefined) return { enabled: false, why: "category_not_in_reasoning_map" };
  const level = uncertainty >= 0.2 ? "low" : "very_low";
  return { enabled: top.reason, why: `${level}_uncertainty_trust_classification` };
}

/** Shannon entropy over that of a uniform answer: 0 certain, 1 no idea. */
export function normalisedEntropy(probabilities: readonly number[]): number {
  if (probabilities.length < 2) return 0;
  const entropy = probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0);
  return entropy / Math.log2(probabilities.length);
}

function weighted(votes: readonly ReasoningVote[]): boolean {
  const known = votes.filter((vote) => vote.reason !== undefined);
  const total = known.reduce((sum, vote) => sum + vote.probability, 0);
  const on = known.reduce((sum, vote) => sum + (vote.reason ? vote.probability : 0), 0);
  return total > 0 && on / total > 0.5;
}
