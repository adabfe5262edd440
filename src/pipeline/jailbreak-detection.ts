import type { Category, Config } from "../config/schema.ts";
import type { Trace } from "../telemetry/trace.ts";
import type { Classified } from "./classified.ts";
import { describePass, type SharedPass } from "./shared-pass.ts";
import { elapsedMs, orElse, stage } from "./stage.ts";

export type JailbreakVerdict =
  | { readonly kind: "clear" }
  | { readonly kind: "found"; readonly type: string; readonly confidence: number };

/** Finds attempts to override the model's instructions, in every message of whatever role. */
export function jailbreakDetection(config: Pick<Config, "prompt_guard" | "categories">) {
  const policy = config.prompt_guard;
  const perCategory = config.categories.some(
    (one) => one.jailbreak_enabled !== undefined || one.jailbreak_threshold !== undefined,
  );
  /** Threshold of what is guarded; none where it is not. */
  const thresholdFor = (category?: Category): number | undefined =>
    (category?.jailbreak_enabled ?? policy.enabled)
      ? (category?.jailbreak_threshold ?? policy.threshold)
      : undefined;
  const thresholds = [undefined, ...config.categories].map(thresholdFor).filter((one) => one !== undefined);
  const strictest = thresholds.length > 0 ? Math.min(...thresholds) : undefined;

  return async (
    pass: SharedPass,
    classified: Promise<Classified | undefined>,
    at: Trace,
  ): Promise<JailbreakVerdict> => {
    const found = perCategory ? await classified : undefined;
    // What could not be classified may be of the category that is guarded most.
    const threshold = found?.by === "none" ? strictest : thresholdFor(found?.category);
    if (threshold === undefined) return { kind: "clear" };

    return stage(at, "semantic_router.security.jailbreak_detection", async (span) => {
      const encoding = await pass
        .read()
        .catch(orElse("jailbreak_detection", policy.on_error, undefined, span));
      const confidence = encoding?.jailbreak ?? 0;
      const detected = encoding !== undefined && confidence >= threshold;
      span
        .set("jailbreak.detected", encoding && detected)
        .set("jailbreak.type", detected ? "jailbreak" : undefined)
        .set("jailbreak.confidence", encoding?.jailbreak)
        .set("jailbreak.threshold", threshold)
        .set("jailbreak.hidden_in", detected ? encoding.jailbreakBy : undefined)
        .set("jailbreak.detection_time_ms", elapsedMs(span))
        .set("security.action", detected ? "blocked" : "allowed");
      describePass(span, pass, "jailbreak", encoding);
      return detected ? { kind: "found", type: "jailbreak", confidence } : { kind: "clear" };
    });
  };
}
