import { refusalCompletion } from "../chat/refusal-completion.ts";
import type { Chat } from "../chat/request.ts";
import { type Refusal, refusals } from "../outcome.ts";
import type { Immediate } from "./encode.ts";
import { names } from "./headers.ts";

type HeaderPairs = readonly (readonly [string, string])[];

const json = "application/json";

export function immediate(
  status: number,
  contentType: string,
  body: Uint8Array,
  details: string,
  headers: HeaderPairs = [],
): Immediate {
  return {
    kind: "immediate",
    status,
    headers: [[names.contentType, contentType], ...headers],
    body,
    details,
  };
}

export const modelsAnswer = (body: Uint8Array): Immediate => immediate(200, json, body, "vsr_models");

export const cacheHitAnswer = (contentType: string, body: Uint8Array): Immediate =>
  immediate(200, contentType, body, "vsr_cache_hit", [[names.cacheHit, "true"]]);

/**
 * What a refused client gets: an OpenAI error object, or, for a block where the operator chose status 200, a completion
 * that refuses.
 */
export function refusalAnswer(refusal: Refusal, chat: Chat | undefined, blockStatus: number): Immediate {
  const { status, type, code } = refusals[refusal.kind];
  const details = `vsr_${refusal.kind}`;
  const headers = refusalHeaders(refusal);
  const message = describe(refusal);
  if (blockStatus === 200 && chat && (refusal.kind === "pii" || refusal.kind === "jailbreak")) {
    const { contentType, body } = refusalCompletion({
      kind: refusal.kind === "pii" ? "pii_violation" : "jailbreak_blocked",
      endpoint: chat.endpoint,
      model: refusal.kind === "pii" ? refusal.model : "security-filter",
      text: message,
      as: chat.stream ? "sse" : "json",
      createdSeconds: Math.floor(Date.now() / 1000),
    });
    return immediate(200, contentType, body, details, headers);
  }
  const error = {
    message,
    type,
    param: refusal.kind === "malformed" ? (refusal.param ?? null) : null,
    code: refusal.kind === "malformed" ? refusal.code : code,
  };
  return immediate(status, json, Buffer.from(JSON.stringify({ error })), details, headers);
}

function refusalHeaders(refusal: Refusal): HeaderPairs {
  if (refusal.kind === "pii") return [[names.piiViolation, "true"]];
  if (refusal.kind === "jailbreak") {
    return [
      [names.jailbreakBlocked, "true"],
      [names.jailbreakType, refusal.type],
      [names.jailbreakConfidence, refusal.confidence.toFixed(3)],
    ];
  }
  return refusal.kind === "overloaded" ? [[names.retryAfter, "1"]] : [];
}

/** For the client: place and remedy, never content. */
function describe(refusal: Refusal): string {
  switch (refusal.kind) {
    case "malformed":
      return refusal.message;
    case "too_large":
      return `The request body is larger than ${refusal.limitBytes} bytes.`;
    case "unsupported_encoding":
      return `The request's content-encoding "${refusal.encoding}" cannot be read; send the body uncompressed.`;
    case "unguarded_path":
      return "This endpoint is not served: its requests cannot be checked. Use /v1/chat/completions or /v1/completions.";
    case "unknown_model":
      return `The model "${refusal.model.slice(0, 200)}" does not exist; GET /v1/models lists those that do.`;
    case "no_model":
      return "No model fits this request, and no default_model is configured.";
    case "no_endpoint":
      return `No endpoint serves the model "${refusal.model}".`;
    case "pii":
      return `The request contains personal data that the model "${refusal.model}" may not see: ${refusal.types.join(", ")}. Remove it and try again.`;
    case "jailbreak":
      return `The request was blocked as an attempt to override the model's instructions (type ${refusal.type}, confidence ${refusal.confidence.toFixed(3)}). Rephrase it and try again.`;
    case "guard_failed":
      return "A safety check could not be made, so the request was not forwarded. Try again shortly.";
    case "overloaded":
      return "The router is at its capacity. Try again shortly.";
    case "misconfigured":
      return refusal.message;
    case "internal":
      return "The router failed on this request; it was not forwarded.";
  }
}
