import type { Category } from "../config/schema.ts";

/** What a request is about. */
export interface Classified {
  /** None: below the threshold, or a category that the configuration does not know. */
  readonly category: Category | undefined;
  /** Probability of the category, 0..1; 1 for a keyword rule. */
  readonly confidence: number;
  readonly by: "keyword" | "model" | "none";
  /** Probability of each category by name, highest first. Empty where the model was not asked. */
  readonly scores: readonly (readonly [name: string, probability: number])[];
}
