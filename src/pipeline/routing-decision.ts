import type { Config, ModelScore } from "../config/schema.ts";
import type { Trace } from "../telemetry/trace.ts";
import type { Candidate } from "./candidates.ts";
import type { Classified } from "./classified.ts";
import type { Decision } from "./decision.ts";
import type { RoutableModel } from "./models.ts";
import { deniedTypes } from "./pii-policy.ts";
import { decideReasoning } from "./reasoning.ts";
import { stage } from "./stage.ts";

/** Decides the model and whether it reasons. */
export function routingDecision(
  config: Pick<Config, "model_config" | "categories" | "classifier" | "default_reasoning_effort">,
) {
  const denied = deniedTypes(config.model_config);
  const bestOf = new Map(config.categories.map((one) => [one.name, best(one.model_scores)]));

  return {
    /** The model the client named. */
    specified: (model: RoutableModel, requested: string, at: Trace): Decision =>
      stage(at, "semantic_router.routing.decision", (span) => {
        span
          .set("routing.strategy", "specified")
          .set("routing.reason", "model_specified")
          .set("routing.original_model", requested)
          .set("routing.selected_model", model.name)
          .set("model.name", model.name)
          .set("reasoning.enabled", false);
        return { strategy: "specified", model, category: undefined, reasoning: undefined };
      }),

    /**
     * The best candidate that may see what was found.
     * @returns undefined where there is no candidate: no category, and no default model either.
     */
    auto: (
      candidates: readonly Candidate[],
      classified: Classified,
      piiTypes: readonly string[],
      requested: string,
      at: Trace,
    ): Decision | undefined =>
      stage(at, "semantic_router.routing.decision", (span) => {
        const refused = candidates.filter(({ model }) => denied(model.base, piiTypes).length > 0);
        const allowed = candidates.filter((candidate) => !refused.includes(candidate));
        const [chosen, runnerUp] = allowed;
        if (!chosen) {
          span.set("routing.strategy", "auto").set("routing.reason", "no_candidate").fail("no_candidate");
          return undefined;
        }
        const reasoning = reasonFor(chosen, classified);
        const effort = chosen.scored?.reasoning_effort ?? config.default_reasoning_effort;
        span
          .set("routing.strategy", "auto")
          .set("routing.reason", refused.length > 0 ? "pii_policy_alternative_selected" : reasoning.why)
          .set("routing.original_model", requested)
          .set("routing.selected_model", chosen.model.name)
          .set("model.name", chosen.model.name)
          .set("category.name", classified.category?.name ?? "")
          .set("reasoning.enabled", reasoning.enabled)
          .set("reasoning.effort", reasoning.enabled ? effort : undefined)
          .set("reasoning.family", chosen.model.family?.name)
          .set("reasoning.reason", reasoning.why)
          .set("routing.candidates", candidates.map(describe))
          .set(
            "routing.refused",
            refused.length > 0 ? refused.map((one) => `${describe(one)}: pii_policy`) : undefined,
          );
        if (chosen.scored && runnerUp?.scored)
          span.set("routing.margin", chosen.scored.score - runnerUp.scored.score);
        return {
          strategy: "auto",
          model: chosen.model,
          category: classified.category,
          reasoning: { enabled: reasoning.enabled, effort },
        };
      }),
  };

  /** The chosen model's own flag for the category, and the best candidate's for the categories beside it. */
  function reasonFor(chosen: Candidate, classified: Classified) {
    if (!chosen.scored) return { enabled: false, why: "default_model" };
    const votes = classified.scores.map(([name, probability]) => ({
      probability,
      reason:
        name === classified.category?.name ? chosen.scored?.use_reasoning : bestOf.get(name)?.use_reasoning,
    }));
    return decideReasoning(votes, config.classifier.category_model.threshold);
  }
}

const describe = ({ model, scored }: Candidate) => `${model.name}=${scored ? scored.score : "default"}`;

function best(scores: readonly ModelScore[]): ModelScore | undefined {
  return scores.reduce<ModelScore | undefined>(
    (top, one) => (top && top.score >= one.score ? top : one),
    undefined,
  );
}
