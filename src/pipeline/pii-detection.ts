import type { Config } from "../config/schema.ts";
import type { Encoding } from "../models/encode.ts";
import type { Trace } from "../telemetry/trace.ts";
import type { Classified } from "./classified.ts";
import { deniedTypes } from "./pii-policy.ts";
import type { SharedPass } from "./shared-pass.ts";
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

  /** @param candidates base names of the models that may answer, best first. */
  return async (
    pass: SharedPass,
    classified: Promise<Classified | undefined>,
    candidates: (classified: Classified | undefined) => readonly string[],
    at: Trace,
  ): Promise<PiiVerdict> => {
    const category = perCategory ? (await classified)?.category : undefined;
    if (!policy?.enabled || category?.pii_enabled === false) return { kind: "clear" };
    const threshold = category?.pii_threshold ?? policy.threshold;

    return stage(at, "semantic_router.security.pii_detection", async (span) => {
      const encodings = await pass.everything().catch(orElse("pii_detection", policy.on_error, [], span));
      const types = typesAbove(threshold, encodings);
      const models = types.length > 0 ? candidates(await classified) : [];
      const refused = models.length > 0 && models.every((model) => denied(model, types).length > 0);
      span
        .set("pii.detected", types.length > 0)
        .set("pii.types", types)
        .set("pii.threshold", threshold)
        .set("pii.detection_time_ms", elapsedMs(span))
        .set("security.action", refused ? "blocked" : "allowed");
      if (refused) return { kind: "refused", denied: denied(models[0]!, types), model: models[0]! };
      return types.length > 0 ? { kind: "found", types } : { kind: "clear" };
    });
  };

  function typesAbove(threshold: number, encodings: readonly Encoding[]): string[] {
    const found = encodings.flatMap(({ entities }) => entities.filter(({ score }) => score >= threshold));
    return [...new Set(found.map(({ type }) => type))].sort();
  }
}
