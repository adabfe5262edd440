import type { Encoding, Wants } from "../../models/encode.ts";
import { modelDirectory } from "../../pipeline/models.ts";
import { type BodyChanges, bodyChanges } from "./body.ts";
import { type Decision, decisionOf, type Endpoint, endpointOf } from "./decision.ts";
import {
  type Category,
  categoryOf,
  type Jailbreak,
  jailbreakOf,
  type PersonalData,
  personalDataOf,
} from "./detectors.ts";
import { type DryRequest, type DryRun, dryRun } from "./dry-run.ts";
import { type Pass, withPasses } from "./passes.ts";
import type { Subject } from "./subject.ts";

/** All that is decided of one request, in the order of the pipeline. What did not run is null, and `not_run` says why. */
export interface Explanation {
  readonly classification: Category | null;
  readonly pii_detection: PersonalData | null;
  readonly jailbreak_detection: Jailbreak | null;
  readonly routing_decision: Decision | null;
  readonly backend_selection: Endpoint | null;
  readonly not_run: Readonly<Record<string, string>>;
  /** What the router changes of a request that goes on. */
  readonly upstream: {
    readonly headers: Readonly<Record<string, string>>;
    readonly removed_headers: readonly string[];
    /** Whether `traceparent` is set as well, to a span of the exchange's own trace. */
    readonly traceparent: boolean;
    readonly body: BodyChanges;
    /** Added to the model's answer, where that has a status from 200 to 299. */
    readonly response_headers: Readonly<Record<string, string>>;
  } | null;
  /** What the client gets instead of a model's answer. */
  readonly answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  } | null;
  readonly outcome: DryRun["outcome"];
  readonly reason: string | null;
}

/** Plays the request through the router and reads its trace. Rejects where the router itself failed. */
export async function explain(subject: Subject, request: DryRequest): Promise<Explanation> {
  const { result: run, passes } = await withPasses(() => dryRun(subject.service, request));
  const { stages, upstream, answer } = run;
  const classified = stages.get("classification");
  const pii = stages.get("security.pii_detection");
  const jailbreak = stages.get("security.jailbreak_detection");
  const decided = stages.get("routing.decision");
  const selected = stages.get("backend.selection");
  const classification = classified
    ? categoryOf(classified, subject, await encodingWith("category", passes))
    : null;
  return {
    classification,
    pii_detection: pii ? personalDataOf(pii, subject, await encodingWith("entities", passes)) : null,
    jailbreak_detection: jailbreak ? jailbreakOf(jailbreak) : null,
    routing_decision: decided ? decisionOf(decided) : null,
    backend_selection: selected ? endpointOf(selected) : null,
    not_run: whyNot(subject, run, request, classification?.category ?? undefined),
    upstream: upstream
      ? {
          headers: Object.fromEntries(upstream.set.filter(([name]) => !name.startsWith("trace"))),
          removed_headers: run.removed,
          traceparent: subject.traced,
          body: bodyChanges(
            request.body,
            upstream.body,
            stages.get("system_prompt.injection"),
            subject.loaded.config,
          ),
          response_headers: Object.fromEntries(run.added),
        }
      : null,
    answer: answer
      ? {
          status: answer.status,
          headers: Object.fromEntries(answer.headers),
          body: readable(Buffer.from(answer.body).toString()),
        }
      : null,
    outcome: run.outcome,
    reason: run.reason ?? null,
  };
}

/** What the pass that was asked for this part said; undefined where none was, or it failed. */
async function encodingWith(part: keyof Wants, passes: readonly Pass[]): Promise<Encoding | undefined> {
  return passes.find(({ wants }) => wants[part])?.encoding.catch(() => undefined);
}

const refusedBefore = "the request is refused before";

/** Why stages did not run, by the names of their parts in an `Explanation`. */
function whyNot(
  { loaded: { config } }: Subject,
  { stages, outcome }: DryRun,
  { body }: DryRequest,
  category: string | undefined,
): Record<string, string> {
  if (outcome === "passthrough") return everyPart("the configuration names no models and no guards");
  if (stages.size === 0) return everyPart(refusedBefore);
  const { model } = JSON.parse(Buffer.from(body).toString()) as { model: string };
  const named = modelDirectory(config).requested(model).kind === "specified";
  const { pii_model } = config.classifier;
  const own = config.categories.find(({ name }) => name === category);
  const why = {
    classification: named ? "the client named the model" : "there are no categories",
    pii_detection: !pii_model
      ? "there is no classifier.pii_model"
      : pii_model.enabled
        ? `pii_enabled is false for ${category}`
        : "classifier.pii_model.enabled is false",
    jailbreak_detection:
      own?.jailbreak_enabled === false
        ? `jailbreak_enabled is false for ${category}`
        : "prompt_guard.enabled is false",
    cache: !stages.has("routing.decision")
      ? refusedBefore
      : config.semantic_cache.enabled
        ? "the cache of a running router is not looked at"
        : "semantic_cache.enabled is false",
    routing_decision: refusedBefore,
    backend_selection: refusedBefore,
  };
  return Object.fromEntries(Object.entries(why).filter(([part]) => !stages.has(spans[part] ?? "")));
}

const spans: Readonly<Record<string, string>> = {
  classification: "classification",
  pii_detection: "security.pii_detection",
  jailbreak_detection: "security.jailbreak_detection",
  cache: "cache.lookup",
  routing_decision: "routing.decision",
  backend_selection: "backend.selection",
};

const everyPart = (why: string) => Object.fromEntries(Object.keys(spans).map((part) => [part, why]));

/** An event stream stays text. */
function readable(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
