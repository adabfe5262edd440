import type { SemanticCache } from "./cache/cache.ts";
import type { Chat } from "./chat/request.ts";
import type { Config } from "./config/schema.ts";
import type { Encoder, Wants } from "./models/encode.ts";
import type { Outcome } from "./outcome.ts";
import { backendSelection } from "./pipeline/backend-selection.ts";
import { type Asker, cacheLookup } from "./pipeline/cache-lookup.ts";
import { candidatesFor } from "./pipeline/candidates.ts";
import { classification } from "./pipeline/classification.ts";
import { contentCapture, type MakeRecorder } from "./pipeline/content-capture.ts";
import type { EndpointHealth } from "./pipeline/endpoint-health.ts";
import { jailbreakDetection } from "./pipeline/jailbreak-detection.ts";
import { modelDirectory } from "./pipeline/models.ts";
import { piiDetection } from "./pipeline/pii-detection.ts";
import { routingDecision } from "./pipeline/routing-decision.ts";
import { sharedPass, type Waiting } from "./pipeline/shared-pass.ts";
import { together } from "./pipeline/stage.ts";
import { systemPromptInjection } from "./pipeline/system-prompt-injection.ts";
import { upstreamRequest } from "./pipeline/upstream-request.ts";
import type { Trace } from "./telemetry/trace.ts";

/** What the pipeline needs from the world. */
export interface Ports {
  readonly encoder: Encoder;
  readonly cache: SemanticCache | undefined;
  readonly health: EndpointHealth;
}

/** From a chat request to what becomes of it. Rejects with a `StageFault`, or with the signal's reason. */
export type Pipeline = (chat: Chat, asker: Asker, at: Trace, waiting: Waiting) => Promise<Outcome>;

/**
 * The stages in the order of the trace, each built from its part of the configuration.
 * @param makeRecorder where traces hold what was said.
 */
export function buildPipeline(
  config: Config,
  { encoder, cache, health }: Ports,
  makeRecorder?: MakeRecorder,
): Pipeline {
  const models = modelDirectory(config);
  const candidates = candidatesFor(config, models);
  const classify = classification(config, encoder.labels);
  const detectPii = piiDetection(config);
  const detectJailbreak = jailbreakDetection(config);
  const lookUpCache = cacheLookup(config, cache);
  const decide = routingDecision(config);
  const selectBackend = backendSelection(config, health);
  const injectSystemPrompt = systemPromptInjection();
  const wantedByAuto = wants(true);
  const wantedBySpecified = wants(false);
  const captureContent = makeRecorder && contentCapture(makeRecorder, wantedBySpecified.entities);

  return async (chat, asker, at, waiting) => {
    const requested = models.requested(chat.requestedModel);
    if (requested.kind === "unknown") return refuse({ kind: "unknown_model", model: chat.requestedModel });
    const auto = requested.kind === "auto";
    const wanted = auto ? wantedByAuto : wantedBySpecified;
    const pass = sharedPass(encoder, chat, wanted, waiting);

    const classifying =
      auto && config.categories.length > 0 ? classify(chat, pass, at) : Promise.resolve(undefined);
    const mayAnswer = (classified: Awaited<typeof classifying>) =>
      auto ? candidates(classified).map(({ model }) => model.base) : [requested.model.base];
    // Where nothing reads the prompt, nothing is waited for.
    const [classified, pii, jailbreak] = readsPrompt(wanted)
      ? await together([
          classifying,
          detectPii(pass, classifying, mayAnswer, at),
          detectJailbreak(pass, classifying, at),
        ])
      : unread;
    if (jailbreak.kind === "found") return refuse({ ...jailbreak, kind: "jailbreak" });
    if (pii.kind === "refused") return refuse({ kind: "pii", types: pii.denied, model: pii.model });

    const cached =
      cache && pii.kind === "clear" ? await lookUpCache(chat, asker, classified, pass, at, waiting) : noCache;
    if (cached.kind === "hit") return { kind: "reply", contentType: cached.contentType, body: cached.body };

    const piiTypes = pii.kind === "found" ? pii.types : [];
    const decision = auto
      ? decide.auto(candidates(classified), classified ?? noCategory, piiTypes, chat.requestedModel, at)
      : decide.specified(requested.model, chat.requestedModel, at);
    if (!decision) return refuse({ kind: "no_model" });

    const selected = selectBackend(decision.model, at);
    if (selected.kind === "none") return refuse({ kind: "no_endpoint", model: decision.model.name });

    const { body, injected } = auto ? injectSystemPrompt(chat, decision, at) : unedited;
    const backend = selected.kind === "backend" ? selected.backend : undefined;
    const instructions = injected ? decision.category?.system_prompt : undefined;
    const content =
      captureContent && at.recording ? await captureContent(chat, { body, instructions }, pass) : undefined;
    return {
      kind: "forward",
      body,
      backend,
      selection: {
        model: decision.model.name,
        category: decision.category?.name,
        reasoning: decision.reasoning?.enabled ?? false,
        systemPromptInjected: injected,
      },
      upstream: upstreamRequest(at, {
        operation: chat.endpoint === "chat" ? "chat" : "text_completion",
        model: decision.model.name,
        chat,
        backend,
        store: cached.store,
        content,
      }),
    };
  };

  function wants(auto: boolean): Wants {
    return {
      category: auto && config.categories.length > 0,
      jailbreak: config.prompt_guard.enabled || config.categories.some((one) => one.jailbreak_enabled),
      entities: config.classifier.pii_model?.enabled ?? false,
      embedding: cache !== undefined,
    };
  }
}

const readsPrompt = ({ category, jailbreak, entities }: Wants) => category || jailbreak || entities;
const unread = [undefined, { kind: "clear" }, { kind: "clear" }] as const;
const unedited = { body: undefined, injected: false };
const noCache = { kind: "miss" as const, store: undefined };
const noCategory = { category: undefined, confidence: 0, by: "none" as const, scores: [] };
const refuse = (refusal: (Outcome & { kind: "refuse" })["refusal"]): Outcome => ({ kind: "refuse", refusal });
