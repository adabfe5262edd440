import type { Encoding } from "../../models/encode.ts";
import { scoresByCategory } from "../../pipeline/classification.ts";
import { deniedTypes } from "../../pipeline/pii-policy.ts";
import { normalisedEntropy } from "../../pipeline/reasoning.ts";
import { rounded } from "./numbers.ts";
import type { Subject } from "./subject.ts";
import type { Stage } from "./whole-trace.ts";

export interface Category {
  /** None: below the threshold, or not configured. */
  readonly category: string | null;
  readonly by: string;
  /** Of the best label; null where the model was asked and failed. */
  readonly confidence: number | null;
  readonly threshold: number;
  readonly runner_up: string | null;
  readonly margin: number | null;
  /** Of all categories, and of labels that stand for none. Empty where the model was not asked. */
  readonly category_scores: Readonly<Record<string, number>>;
  /** Of the scores: 0 certain, 1 no idea; the decision whether to reason goes by it. */
  readonly entropy: number | null;
  readonly keyword_rule: {
    readonly place: number;
    readonly operator: string;
    readonly keywords: readonly string[];
  } | null;
  /** Why the model gave no answer. */
  readonly error: string | null;
}

export interface PersonalData {
  readonly detected: boolean | null;
  readonly types: readonly string[];
  readonly threshold: number;
  /** The highest score of each type, those below the threshold among them. */
  readonly scores: readonly { readonly type: string; readonly score: number; readonly by: string }[];
  /** Types found that the policy of a configured model does not allow, by model. */
  readonly may_not_see: Readonly<Record<string, readonly string[]>>;
  readonly action: string;
  readonly error: string | null;
}

export interface Jailbreak {
  readonly detected: boolean | null;
  readonly score: number | null;
  readonly threshold: number;
  readonly hidden_in: string | null;
  readonly action: string;
  readonly error: string | null;
}

type Attribute = Stage["attributes"][string];
const orNull = <T extends Attribute>(value: Attribute | undefined): T | null => (value as T) ?? null;
const numberOrNull = (value: Attribute | undefined) => (typeof value === "number" ? rounded(value) : null);

/** @param encoding the pass that was asked for categories. */
export function categoryOf(
  { attributes: a, error }: Stage,
  { loaded: { config }, encoder }: Subject,
  encoding: Encoding | undefined,
): Category {
  const scores =
    encoding && encoding.category.length > 0
      ? scoresByCategory(encoder.labels, config.categories)(encoding.category)
      : [];
  const place = a["classifier.keyword_rule"] as number | undefined;
  const rule = place === undefined ? undefined : config.keyword_rules[place];
  return {
    category: (a["category.name"] as string) || null,
    by: a["classifier.type"] as string,
    confidence: numberOrNull(a["category.confidence"]),
    threshold: a["classification.threshold"] as number,
    runner_up: orNull<string>(a["classification.runner_up"]),
    margin: numberOrNull(a["classification.margin"]),
    category_scores: Object.fromEntries(scores.map(([name, score]) => [name, rounded(score)])),
    entropy: scores.length > 0 ? rounded(normalisedEntropy(scores.map(([, score]) => score))) : null,
    keyword_rule: rule ? { place: place!, operator: rule.operator, keywords: rule.keywords } : null,
    error: error ?? null,
  };
}

/** @param encoding the pass that was asked for personal data. */
export function personalDataOf(
  { attributes: a, error }: Stage,
  { loaded: { config } }: Subject,
  encoding: Encoding | undefined,
): PersonalData {
  const types = (a["pii.types"] ?? []) as readonly string[];
  const highest = new Map<string, PersonalData["scores"][number]>();
  for (const { type, score, by } of encoding?.entities.flat() ?? []) {
    if (score > (highest.get(type)?.score ?? -1)) highest.set(type, { type, score: rounded(score), by });
  }
  const denied = deniedTypes(config.model_config);
  const refusals = Object.keys(config.model_config).map((model) => [model, denied(model, types)] as const);
  return {
    detected: orNull<boolean>(a["pii.detected"]),
    types,
    threshold: a["pii.threshold"] as number,
    scores: [...highest.values()].sort((one, other) => other.score - one.score),
    may_not_see: Object.fromEntries(refusals.filter(([, types]) => types.length > 0)),
    action: a["security.action"] as string,
    error: error ?? null,
  };
}

export const jailbreakOf = ({ attributes: a, error }: Stage): Jailbreak => ({
  detected: orNull<boolean>(a["jailbreak.detected"]),
  score: numberOrNull(a["jailbreak.confidence"]),
  threshold: a["jailbreak.threshold"] as number,
  hidden_in: orNull<string>(a["jailbreak.hidden_in"]),
  action: a["security.action"] as string,
  error: error ?? null,
});
