import type { Category, Config } from "../config/schema.ts";
import type { Encoding } from "../models/encode.ts";
import type { Trace } from "../telemetry/trace.ts";
import type { Classified } from "./classified.ts";
import { deniedTypes } from "./pii-policy.ts";
import { describePass, type SharedPass } from "./shared-pass.ts";
import { elapsedMs, orElse, stage } from "./stage.ts";

export type PiiVerdict =
  | { readonly kind: "clear" }
  /** `types` found; some candidate may see them. */
  | { readonly kind: "found"; readonly types: readonly string[] }
  /** No candidate may see `denied`; `model` is the one that would have been chosen. */
  | { readonly kind: "refused"; readonly denied: readonly string[]; readonly model: string };

/** Finds personal data that no model of the request may see. */
export function piiDetection(config: Pick<Config, "classifier" | "model_config" | "categories">) {
  const policy = config.classifier.pii_model;
  const denied = deniedTypes(config.model_config);
  const perCategory = config.categories.some(
    (one) => one.pii_enabled !== undefined || one.pii_threshold !== undefined,
  );

  const thresholds = [undefined, ...config.categories].map(thresholdFor).filter((one) => one !== undefined);
  const strictest = thresholds.length > 0 ? Math.min(...thresholds) : undefined;

  /** @param candidates base names of the models that may answer, best first. */
  return async (
    pass: SharedPass,
    classified: Promise<Classified | undefined>,
    candidates: (classified: Classified | undefined) => readonly string[],
    at: Trace,
  ): Promise<PiiVerdict> => {
    const found = perCategory ? await classified : undefined;
    // What could not be classified may be of the category that is looked through most.
    const threshold = found?.by === "none" ? strictest : thresholdFor(found?.category);
    if (!policy || threshold === undefined) return { kind: "clear" };

    return stage(at, "semantic_router.security.pii_detection", async (span) => {
      const encoding = await pass.read().catch(orElse("pii_detection", policy.on_error, undefined, span));
      const types = typesAbove(threshold, encoding?.entities ?? []);
      const models = types.length > 0 ? candidates(await classified) : [];
      const refused = models.length > 0 && models.every((model) => denied(model, types).length > 0);
      span
        .set("pii.detected", encoding && types.length > 0)
        .set("pii.types", encoding && types)
        .set("pii.threshold", threshold)
        .set("pii.detection_time_ms", elapsedMs(span))
        .set("security.action", refused ? "blocked" : "allowed");
      describePass(span, pass, "entities", encoding);
      if (refused) return { kind: "refused", denied: denied(models[0]!, types), model: models[0]! };
      return types.length > 0 ? { kind: "found", types } : { kind: "clear" };
    });
  };

  /** Threshold of what is looked through; none where it is not. */
  function thresholdFor(category?: Category): number | undefined {
    return policy?.enabled && category?.pii_enabled !== false
      ? (category?.pii_threshold ?? policy.threshold)
      : undefined;
  }

  // Without a list in between: a request may have a million texts.
  function typesAbove(threshold: number, entities: Encoding["entities"]): string[] {
    const types = new Set<string>();
    for (const found of entities)
      for (const { type, score } of found) if (score >= threshold) types.add(type);
    return [...types].sort();
  }
}
