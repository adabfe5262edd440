import type { Chat } from "../chat/request.ts";
import type { Category, Config } from "../config/schema.ts";
import type { Trace } from "../telemetry/trace.ts";
import type { Classified } from "./classified.ts";
import { keywordRules } from "./keyword-rules.ts";
import { describePass, type SharedPass } from "./shared-pass.ts";
import { elapsedMs, orElse, stage } from "./stage.ts";

const unclassified: Classified = { category: undefined, confidence: 0, by: "none", scores: [] };

/** Finds the category of the last user turn: keyword rules first, then the model. */
export function classification(
  config: Pick<Config, "categories" | "keyword_rules" | "classifier">,
  labels: readonly string[],
) {
  const policy = config.classifier.category_model;
  const matchKeywords = keywordRules(config.keyword_rules);
  const byName = new Map(config.categories.map((category) => [category.name, category]));
  const scoresOf = scoresByCategory(labels, config.categories);

  return (chat: Chat, pass: SharedPass, at: Trace): Promise<Classified> =>
    stage(at, "semantic_router.classification", async (span) => {
      const rule = matchKeywords(chat.utterances[chat.lastUser]!.text);
      // The first stage to begin: the guards have not asked for the pass yet.
      if (rule) pass.drop("category");
      const encoding = rule
        ? undefined
        : await pass.read().catch(orElse("classification", policy.on_error, undefined, span));
      const found = rule ? byKeyword(rule.category) : encoding ? fromScores(encoding.category) : unclassified;
      span
        .set("category.name", found.category?.name ?? "")
        .set("category.confidence", found.by === "none" ? undefined : found.confidence)
        .set("classifier.type", found.by === "model" ? "encoder" : found.by)
        .set("classifier.keyword_rule", rule && config.keyword_rules.indexOf(rule))
        .set("classification.threshold", policy.threshold)
        .set("classification.time_ms", elapsedMs(span));
      describePass(span, pass, "category", encoding);
      const [first, second] = found.scores;
      if (first && second)
        span.set("classification.runner_up", second[0]).set("classification.margin", first[1] - second[1]);
      return found;
    });

  function byKeyword(name: string): Classified {
    return { category: byName.get(name), confidence: 1, by: "keyword", scores: [[name, 1]] };
  }

  function fromScores(probabilities: Float32Array): Classified {
    const scores = scoresOf(probabilities);
    const [name, confidence] = scores[0] ?? ["", 0];
    const category = confidence >= policy.threshold ? byName.get(name) : undefined;
    return { category, confidence, by: "model", scores };
  }
}

/**
 * What to tell of a category model of the operator's own none of whose labels stands for a configured category, so that it
 * gives no request one; undefined where one does, or no category is configured.
 */
export function strayLabels(labels: readonly string[], categories: readonly Category[]): string | undefined {
  if (categories.length === 0 || labels.some((label) => standsFor(label, categories))) return undefined;
  const names = categories.flatMap(({ name, mmlu_categories }) => [name, ...mmlu_categories]);
  return `classifier.category_model.model_id: no label of the model (${quoted(labels)}) is the name of a category or one of its mmlu_categories (${quoted(names)}), so it gives no request a category; list the labels under mmlu_categories, or name them in a file at classifier.category_model.category_mapping_path`;
}

const MOST_LISTED = 5;

function quoted(names: readonly string[]): string {
  const some = names.slice(0, MOST_LISTED).map((name) => `"${name}"`);
  return [...some, ...(names.length > MOST_LISTED ? [`and ${names.length - MOST_LISTED} more`] : [])].join(
    ", ",
  );
}

/** The configured category that a label of the model stands for, else the label itself. */
const categoryName = (label: string, categories: readonly Category[]): string =>
  standsFor(label, categories)?.name ?? label;

/** By its mmlu_categories, then by its name, in any case. */
function standsFor(label: string, categories: readonly Category[]): Category | undefined {
  const wanted = label.toLowerCase();
  const listed = categories.find(({ mmlu_categories }) =>
    mmlu_categories.some((one) => one.toLowerCase() === wanted),
  );
  return listed ?? categories.find(({ name }) => name.toLowerCase() === wanted);
}

/** From probabilities of the labels to those of categories, highest first: labels that stand for one category add up. */
export function scoresByCategory(
  labels: readonly string[],
  categories: readonly Category[],
): (probabilities: Float32Array) => Classified["scores"] {
  const names = labels.map((label) => categoryName(label, categories));
  return (probabilities) => {
    const sums = new Map<string, number>();
    names.forEach((name, i) => {
      sums.set(name, (sums.get(name) ?? 0) + (probabilities[i] ?? 0));
    });
    return [...sums].sort((a, b) => b[1] - a[1]);
  };
}
