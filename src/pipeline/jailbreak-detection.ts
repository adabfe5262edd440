import type { Config } from "../config/schema.ts";
import type { Trace } from "../telemetry/trace.ts";
import type { Classified } from "./classified.ts";
import type { SharedPass } from "./shared-pass.ts";
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

  return async (
    pass: SharedPass,
    classified: Promise<Classified | undefined>,
    at: Trace,
  ): Promise<JailbreakVerdict> => {
    const category = perCategory ? (await classified)?.category : undefined;
    if (!(category?.jailbreak_enabled ?? policy.enabled)) return { kind: "clear" };
    const threshold = category?.jailbreak_threshold ?? policy.threshold;

    return stage(at, "semantic_router.security.jailbreak_detection", async (span) => {
      const encodings = await pass
        .everything()
        .catch(orElse("jailbreak_detection", policy.on_error, [], span));
      const confidence = Math.max(0, ...encodings.map((one) => one.jailbreak));
      const detected = encodings.length > 0 && confidence >= threshold;
      span
        .set("jailbreak.detected", detected)
        .set("jailbreak.type", detected ? "jailbreak" : undefined)
        .set("jailbreak.confidence", confidence)
        .set("jailbreak.threshold", threshold)
        .set("jailbreak.detection_time_ms", elapsedMs(span))
        .set("security.action", detected ? "blocked" : "allowed");
      return detected ? { kind: "found", type: "jailbreak", confidence } : { kind: "clear" };
    });
  };
}
